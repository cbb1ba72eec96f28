/**
 * Pictures and what Pillow makes of them.
 *
 * @module
 */

/** Sizes of the resizing cases' source: value (37x + 91y + 53c + xy(c + 1)) mod 256 at row y, column x, channel c. */
export const PATTERN = { height: 13, width: 17 };

/** Results of `Image.resize`: the first values, and the SHA-256 of all. */
export const RESIZED = [
  {
    filter: "nearest",
    size: [5, 7],
    channels: "rgb",
    first: [129, 183, 237, 205, 5, 61],
    sha256: "3c064cef4362070ec8d39c16d651fe2abfdafea315e4bf6adf58e12c561f93e9",
  },
  {
    filter: "nearest",
    size: [5, 7],
    channels: "gray",
    first: [173, 71, 111, 160, 87, 127],
    sha256: "0421cd5f875c6e3e41e3aa8d6fecb93648f2ac555b3067ed3a3c63032cef58db",
  },
  {
    filter: "nearest",
    size: [13, 6],
    channels: "rgb",
    first: [37, 90, 143, 148, 201, 254],
    sha256: "94e8785a3dce97178b9d8bff3e0df0f00bd0a39dedbc86220d1ac5150b401997",
  },
  {
    filter: "nearest",
    size: [13, 6],
    channels: "gray",
    first: [80, 191, 46, 120, 202, 86],
    sha256: "3f8b0f8f0610937a063d7d219e656a2d8cd128ce05c2d05d522a4c8a082e2089",
  },
  {
    filter: "nearest",
    size: [4, 17],
    channels: "rgb",
    first: [91, 144, 197, 129, 183, 237],
    sha256: "d19ea2375fa2eae626f203b3c9cca4fdae55195593ca0041ad035458629b19d1",
  },
  {
    filter: "nearest",
    size: [4, 17],
    channels: "gray",
    first: [134, 173, 183, 71, 110, 72],
    sha256: "299f68ffe9561899c3d229ed337ff9444e1ffb66bc6757f7fd785d6cc8ad19b5",
  },
  {
    filter: "nearest",
    size: [29, 31],
    channels: "rgb",
    first: [0, 53, 106, 0, 53, 106],
    sha256: "241487ebd1f67f3dd58ba604e353f2251d86d069774b3f9415228b88da5ddb87",
  },
  {
    filter: "nearest",
    size: [29, 31],
    channels: "gray",
    first: [43, 43, 80, 80, 117, 154],
    sha256: "a9f01b06d70004bf89ad66689dd0b8ee4be24498249c213a6f8ddb773c449a36",
  },
  {
    filter: "nearest",
    size: [26, 8],
    channels: "rgb",
    first: [37, 90, 143, 111, 164, 217],
    sha256: "6e95a5ef0dab6b606f3f85f1383a7b343c4cf573a458fc323b5db7e63cee808a",
  },
  {
    filter: "nearest",
    size: [26, 8],
    channels: "gray",
    first: [80, 154, 199, 46, 120, 165],
    sha256: "7281740f38304870884a5f5a454e2ae13c94b9d56b9e193424fa55b553abb950",
  },
  {
    filter: "box",
    size: [5, 7],
    channels: "rgb",
    first: [110, 121, 132, 120, 119, 146],
    sha256: "98c357e0192804bb7f7a3edc9c1d207fc32ee9b629f0495a7cbfad71a96fad4d",
  },
  {
    filter: "box",
    size: [5, 7],
    channels: "gray",
    first: [119, 122, 138, 114, 136, 117],
    sha256: "db8f9d24531623befe758fd6d7f5478d8aa4da4ca8f6170bccd277419b4fb85b",
  },
  {
    filter: "box",
    size: [13, 6],
    channels: "rgb",
    first: [37, 90, 143, 148, 201, 169],
    sha256: "e7957cde1032d2b00a84490000287bb3c39fcba4f64bbdab32b332129a724409",
  },
  {
    filter: "box",
    size: [13, 6],
    channels: "gray",
    first: [80, 181, 72, 139, 152, 86],
    sha256: "ed4b6007f4b6041eb09d43afe83d94ce978299002483e513163566f75d166445",
  },
  {
    filter: "box",
    size: [4, 17],
    channels: "rgb",
    first: [91, 144, 112, 129, 98, 152],
    sha256: "20f793868d31546287efaab2c806c6f776c5ca5b2664078404b89201896ddcac",
  },
  {
    filter: "box",
    size: [4, 17],
    channels: "gray",
    first: [124, 113, 117, 105, 144, 148],
    sha256: "92cad6f1c4090685579bc5faae091d650fbb0bf288c37c87bcbb445b55d615db",
  },
  {
    filter: "box",
    size: [29, 31],
    channels: "rgb",
    first: [0, 53, 106, 0, 53, 106],
    sha256: "241487ebd1f67f3dd58ba604e353f2251d86d069774b3f9415228b88da5ddb87",
  },
  {
    filter: "box",
    size: [29, 31],
    channels: "gray",
    first: [43, 43, 80, 80, 117, 154],
    sha256: "a9f01b06d70004bf89ad66689dd0b8ee4be24498249c213a6f8ddb773c449a36",
  },
  {
    filter: "box",
    size: [26, 8],
    channels: "rgb",
    first: [19, 72, 125, 93, 146, 199],
    sha256: "b35277c1a3f598615c1d5ab462038c1f6ed6825474953c77c39d1c83e2ac16c7",
  },
  {
    filter: "box",
    size: [26, 8],
    channels: "gray",
    first: [62, 136, 195, 72, 139, 184],
    sha256: "fd5baa07269cb46cf5b52799a3ca814362eb5315a3b918177aa65af363fdefd5",
  },
  {
    filter: "bilinear",
    size: [5, 7],
    channels: "rgb",
    first: [101, 127, 138, 133, 119, 135],
    sha256: "415f44b8340278100b2e6be832a3d40398c734723eb90661a2dc95d786caf81d",
  },
  {
    filter: "bilinear",
    size: [5, 7],
    channels: "gray",
    first: [121, 125, 124, 122, 136, 120],
    sha256: "9823ea2bf1bbd8eb49450dddd4e16828505956e5700331f5f8102f6923e40298",
  },
  {
    filter: "bilinear",
    size: [13, 6],
    channels: "rgb",
    first: [44, 97, 150, 140, 174, 177],
    sha256: "0ed864565ddf75f5e6a69c29c046ce2081d5aa44bc190d0da0c2cf7788947e0e",
  },
  {
    filter: "bilinear",
    size: [13, 6],
    channels: "gray",
    first: [87, 164, 96, 130, 140, 87],
    sha256: "07ecd78ec10fdf800bfa820b076508b56fa34ac599bbb4b37b9186d5683e490d",
  },
  {
    filter: "bilinear",
    size: [4, 17],
    channels: "rgb",
    first: [83, 136, 124, 122, 111, 155],
    sha256: "6f321f565d7843f711bce93f2edec5b5e482b957a2d183e3ae751b37578cf486",
  },
  {
    filter: "bilinear",
    size: [4, 17],
    channels: "gray",
    first: [119, 119, 130, 109, 146, 131],
    sha256: "90fbb67f82de1459eadacf1e67a5556e66842c9385a2fd7421868bd34a83da46",
  },
  {
    filter: "bilinear",
    size: [29, 31],
    channels: "rgb",
    first: [0, 53, 106, 12, 65, 118],
    sha256: "c9651e5d5c1e90e11f3cc5f7338b1cda078e14a4b38ec26357d1f259f1566dfb",
  },
  {
    filter: "bilinear",
    size: [29, 31],
    channels: "gray",
    first: [43, 55, 75, 96, 116, 136],
    sha256: "88acd1b9c85d36c03738548a12f4aed5909cbf6c0ea31bbc42b891944ab82182",
  },
  {
    filter: "bilinear",
    size: [26, 8],
    channels: "rgb",
    first: [29, 82, 135, 99, 152, 205],
    sha256: "12d5a601d295b686aae4abd11624b167ec391898b4567b9c92e99c17f6d6ddbd",
  },
  {
    filter: "bilinear",
    size: [26, 8],
    channels: "gray",
    first: [72, 142, 170, 72, 122, 169],
    sha256: "47d936409f92372f469b3c9327d1c4c5e9ebc0d1d2e2745c6fdbd7b6e9a19aa6",
  },
  {
    filter: "bicubic",
    size: [5, 7],
    channels: "rgb",
    first: [94, 124, 138, 135, 120, 141],
    sha256: "dc64d767265ad9db2bd32adb21266561dffe36f04bcd15715c31742dfed8f7a6",
  },
  {
    filter: "bicubic",
    size: [5, 7],
    channels: "gray",
    first: [117, 127, 124, 119, 141, 120],
    sha256: "9f99cb319663c6a8644ef6abf873ad22eab620c061ed640b5d60036713b5204e",
  },
  {
    filter: "bicubic",
    size: [13, 6],
    channels: "rgb",
    first: [36, 91, 151, 148, 185, 181],
    sha256: "d645a643853b27d25cee88574d2a431aea52b3306803e8caf6e5010d2d5138d2",
  },
  {
    filter: "bicubic",
    size: [13, 6],
    channels: "gray",
    first: [81, 174, 89, 132, 142, 83],
    sha256: "8fbc9971816f67ebbd8c37cc08a4fb577cf6635dceb1be10291c0916af4e7beb",
  },
  {
    filter: "bicubic",
    size: [4, 17],
    channels: "rgb",
    first: [82, 135, 121, 120, 107, 156],
    sha256: "3b5006cd1fc8e7381a767e87f593ff61667af9930ee5fd7aba68c3ae660feab7",
  },
  {
    filter: "bicubic",
    size: [4, 17],
    channels: "gray",
    first: [117, 116, 127, 108, 149, 133],
    sha256: "cb2a6c82a3e4ce460a61f426b9ccac8984b0459e549dd8c70d92271e5c11f236",
  },
  {
    filter: "bicubic",
    size: [29, 31],
    channels: "rgb",
    first: [0, 41, 94, 0, 53, 106],
    sha256: "558342046831111c6d44b113ea061328cf067477da56593eb20fbb0530e4fb1e",
  },
  {
    filter: "bicubic",
    size: [29, 31],
    channels: "gray",
    first: [31, 43, 66, 88, 110, 137],
    sha256: "386d745cff23ec76b2e9f7429aca5d3e3e55493a22546b2d434d7ce33670d7b0",
  },
  {
    filter: "bicubic",
    size: [26, 8],
    channels: "rgb",
    first: [15, 67, 123, 89, 162, 229],
    sha256: "5b786f2c85c88c3f0742ad4affc5b165c7a17986e99dfa87b8a4f4b7598f1f69",
  },
  {
    filter: "bicubic",
    size: [26, 8],
    channels: "gray",
    first: [58, 148, 185, 56, 117, 186],
    sha256: "13b5fd02a5908458615b2456ea7d0b0590ea3828ccfb679785256d952a3ca931",
  },
  {
    filter: "lanczos",
    size: [5, 7],
    channels: "rgb",
    first: [89, 121, 136, 136, 123, 144],
    sha256: "ec7c96796dfc98b77179a6ccecf5cd4aba337b48d4cdb7a83226b8b5cc4a74d5",
  },
  {
    filter: "lanczos",
    size: [5, 7],
    channels: "gray",
    first: [113, 129, 124, 116, 145, 120],
    sha256: "7a03fc6868e3c5eecb63808a978a2d712644565a220dbbe4f4cf9dd64265fe68",
  },
  {
    filter: "lanczos",
    size: [13, 6],
    channels: "rgb",
    first: [29, 88, 155, 157, 190, 181],
    sha256: "b4fb9c362d676322b4b8abb640139ba09819450ba98e83f83db23b8c38e36dee",
  },
  {
    filter: "lanczos",
    size: [13, 6],
    channels: "gray",
    first: [78, 179, 85, 133, 144, 79],
    sha256: "33f90fbefdf4a2be04caacf21472895e2e9e6dfd983b2bd7da7a6dbd1e114526",
  },
  {
    filter: "lanczos",
    size: [4, 17],
    channels: "rgb",
    first: [80, 131, 121, 117, 107, 155],
    sha256: "9f82ab07092c272041b036e862bd1ed12dce7e2956056fc52778b2e2bbe13a42",
  },
  {
    filter: "lanczos",
    size: [4, 17],
    channels: "gray",
    first: [115, 115, 127, 108, 152, 132],
    sha256: "89aed6f13dbec32b39895f200fd38a42d1f187074f555420cb014f85e07e823e",
  },
  {
    filter: "lanczos",
    size: [29, 31],
    channels: "rgb",
    first: [0, 42, 85, 0, 49, 90],
    sha256: "46668c207c318f2de23053b4fd845e3e9a5bc2ae641bc512ae8629473a260984",
  },
  {
    filter: "lanczos",
    size: [29, 31],
    channels: "gray",
    first: [30, 38, 59, 78, 101, 135],
    sha256: "746126706b029d1d219b786eabb5937950c1d055ba68a454638e949049ce89b8",
  },
  {
    filter: "lanczos",
    size: [26, 8],
    channels: "rgb",
    first: [12, 53, 108, 73, 169, 249],
    sha256: "518518df1c0999427cb77cc4aa696aa7558f7c2e93ef98eb185af3a961197386",
  },
  {
    filter: "lanczos",
    size: [26, 8],
    channels: "gray",
    first: [47, 150, 197, 47, 110, 200],
    sha256: "a1297c15a78c1634a99df251bacecb4ec889893507e6a6dc35001e58bd308e0d",
  },
] as const;

/** A picture file, and the pixels that Pillow decodes from it. */
export interface PictureFile {
  readonly base64: string;
  readonly size: readonly number[];
  readonly channels: number;
  /** Of the pixels, channels next to each other; upright. */
  readonly sha256: string;
}

/** Picture files by what is special about them. */
export const PICTURES: Readonly<Record<string, PictureFile>> = {
  jpeg: {
    base64:
      "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwg" +
      "IyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo" +
      "KCgoKCgoKCgoKCgoKCj/wAARCAAQABgDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAA" +
      "AgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6" +
      "Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXG" +
      "x8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREA" +
      "AgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5" +
      "OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPE" +
      "xcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwB9rbvYSj7HItuEYxrbaWNqoT03TnAYZ7jJ" +
      "FVLURW08jLEkbT5YvapufcOq+Y+0lsjJwOnTNSXcYht7SeWae4t5P3QmmiMSq3YxxLgNtznJzVm3t2mlZ7hXTZ80j8FoZQOH" +
      "2jhVKgZJHenJyhfmd7dbP7vNXs9btd3fXOCSSj/St1sl0d9VqtpLWRDFFb6nqsJu5AZL6LbFKV3TQbcA4Z8EewoqSeS32pdR" +
      "GNEaZSLppAI1kYEkCZsqQTk7QO1FQ8VKgkoppdNEXWdbm/dx09bP8Gr6bPfo9j//2Q==",
    size: [16, 24],
    channels: 3,
    sha256: "682355054879543af319e74baaf569a14ee5e79ac00a5b9bbb46728742570bf7",
  },
  jpegSubsampled: {
    base64:
      "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdB" +
      "RkxOUlNSMj5aYVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P" +
      "T09PT09PT09PT09PT0//wAARCAAQABgDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAA" +
      "AgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6" +
      "Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXG" +
      "x8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREA" +
      "AgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5" +
      "OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPE" +
      "xcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwBY42gceSwjwSoiteApPTLnGaii2RSMQiqZ" +
      "MndEuTkdtxwc8U6VdkcUju8kbfKHdNgB7bVGM49TUkcZdi0gYbeWPUow6HHYEfzpttXu/wCv676rzuSrJW/r1+XdbdVuMVI7" +
      "q6QzN806YVsZePHXk4NFOdo8CZNoBcfvSwChj1+c8c+lFS6rgklohz57+6v6+W5//9k=",
    size: [16, 24],
    channels: 3,
    sha256: "67a90c27bbce4c6c2e41bdab35d8d0d81c85aed0c62affafae07fc00dfd793ce",
  },
  jpegProgressive: {
    base64:
      "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwg" +
      "IyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgo" +
      "KCgoKCgoKCgoKCgoKCj/wgARCAAQABgDASIAAhEBAxEB/8QAFwAAAwEAAAAAAAAAAAAAAAAAAAIDAf/EABYBAQEBAAAAAAAA" +
      "AAAAAAAAAAEAAv/aAAwDAQACEAMQAAAB2TUsoMD/AP/EABkQAQEAAwEAAAAAAAAAAAAAAAIBAAMREv/aAAgBAQABBQInxTw2" +
      "Q7NqnCT22nP/xAAcEQABAwUAAAAAAAAAAAAAAAABAALwERIiQVH/2gAIAQMBAT8BHJIdp99cQv/EABkRAAIDAQAAAAAAAAAA" +
      "AAAAAAABAhExE//aAAgBAgEBPwF2tOrhh//EACQQAAEDAgQHAAAAAAAAAAAAAAEAESECEgMiQdExMlJhcYGR/9oACAEBAAY/" +
      "Asht0twt0YZ+ndC4zWIOoVJJNVJhyG+BZvfYq4Nx5nh/K//EAB0QAAICAwADAAAAAAAAAAAAAAERACFBUWExcYH/2gAIAQEA" +
      "AT8hNUIUoA95xyAFdiy9MrmBZIa+marYYDw8qEMQIVlncsBRQKAjegu6+T//2gAMAwEAAgADAAAAEJvf/8QAHREBAAICAgMA" +
      "AAAAAAAAAAAAAREhMUEAUXGh8P/aAAgBAwEBPxAgHwjcBpmyzAvhdB5h9JNYc6cc/8QAGxEBAQACAwEAAAAAAAAAAAAAAREh" +
      "QQBRYZH/2gAIAQIBAT8QVas3H56WOanbcoQCGsHP/8QAGxABAQADAQEBAAAAAAAAAAAAAREAITFBUWH/2gAIAQEAAT8QDwGC" +
      "peVgL6VMF4ytVd2TRWHOXHYml8EMin4YWjop8hiNlrc+BTlCalpAVT3LFWAAAqFELWDzP//Z",
    size: [16, 24],
    channels: 3,
    sha256: "682355054879543af319e74baaf569a14ee5e79ac00a5b9bbb46728742570bf7",
  },
  jpegGray: {
    base64:
      "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwg" +
      "IyYnKSopGR8tMC0oMCUoKSj/wAALCAAQABgBAREA/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgED" +
      "AwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RF" +
      "RkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJ" +
      "ytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/9oACAEBAAA/AH2tu9hKPsci24RjGttpY2qhPTdOcBhnuMkVUtRFbTyM" +
      "sSRtPli9qm59w6r5j7SWyMnA6dM1PFFb6nqsJu5AZL6LbFKV3TQbcA4Z8Eewpl3GIbe0nlmnuLeT90JpojEqt2McS4Dbc5yc" +
      "1Zt7dppWe4V02fNI/BaGUDh9o4VSoGSR3ps8lvtS6iMaI0ykXTSARrIwJIEzZUgnJ2gdq//Z",
    size: [16, 24],
    channels: 1,
    sha256: "c45e1c133a6bcf433c5d83ca4f34047cb85d67536a9b3053d262e1f46405b2ea",
  },
  jpegTurned: {
    base64:
      "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAYEBQYFBAYGBQYH" +
      "BwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYa" +
      "KCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAAQABgDASIAAhEBAxEB/8QA" +
      "HwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhByJxFDKB" +
      "kaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWG" +
      "h4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QA" +
      "HwEAAwEBAQEBAQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEI" +
      "FEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOE" +
      "hYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oA" +
      "DAMBAAIRAxEAPwB9rbvYSj7HItuEYxrbaWNqoT03TnAYZ7jJFVLURW08jLEkbT5YvapufcOq+Y+0lsjJwOnTNSXcYht7SeWa" +
      "e4t5P3QmmiMSq3YxxLgNtznJzVm3t2mlZ7hXTZ80j8FoZQOH2jhVKgZJHenJyhfmd7dbP7vNXs9btd3fXOCSSj/St1sl0d9V" +
      "qtpLWRDFFb6nqsJu5AZL6LbFKV3TQbcA4Z8EewoqSeS32pdRGNEaZSLppAI1kYEkCZsqQTk7QO1FQ8VKgkoppdNEXWdbm/dx" +
      "09bP8Gr6bPfo9j//2Q==",
    size: [24, 16],
    channels: 3,
    sha256: "6d4d314bc3eef487c8513c7650939ab7dd2ba97babd6e76d565742764263e50b",
  },
  jpegCmyk: {
    base64:
      "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAIBgYHBgUIBwcHCQkICgwUDQwLCwwZEhMPFB0aHx4dGhwcICQuJyAiLCMcHCg3KSww" +
      "MTQ0NB8nOT04MjwuMzQy/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//E" +
      "ALUQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2" +
      "Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrC" +
      "w8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+v/aAA4EQwBNAFkASwAAPwCDT7Q6a4htLa1haSFVNlpkX2qb" +
      "DEgyLKcKpHpnIxVhLVrWbNtdNbmCZ1jh01hDHC+BtWWdsB1J6EZ700alc2qRzzGZtOkP2SYnda29yh4BjjQMz5yQcqOMV7/Q" +
      "sb29wty1lBLrDsJG25vri5QHYA2QEVhjnLZ4xVC0MEL3GxRb2tyGfzrOIKYpF5ZfPkKsxJBJKg8HjNOYQWGoW0Edydpk+zNF" +
      "BugheNl3YKRhpCcHGWUZFFXZ4LW91RYr5EaZ0f7JLelpntXJG8eTGGVQDwFJFOhSPVtShuLm5LHULcJ5kajzowoAyJZyjfTA" +
      "OKktILK3ZdOs4hbStdsYhBCUAjUkEeZFufuOHVSe9FU/LhhUXDXJaGGZljeF/sllbOwAXDjmVSffPXmnXEZjtLCaWa4uILhB" +
      "D511bEMW7eVbrhSUzksQeop+p+dbmaN4ZrhZx5peRtlwIv8AlpLz8kCFRj7ueDg0VNZIbs/a5LeddNiPmtNE/wBit7eX7gO4" +
      "5d1J5yW5zVpLYyzuLljHdLzKJAJ54nVchxGAI4lKAAkqetQus1nbbooY3gmVI/tNtudZ33Agbs+ZKwXGSjqOOlFTXcLPb798" +
      "cMUkm3zsm2tVuBwG3k+ZKG+Y/f5qF7mxRobyIR7XnjIupJVcbnBLKszgx4J/hVQeKaFlk+03NtK8cluLgtLE+DCd46suBGf+" +
      "uu80V//Z",
    size: [16, 24],
    channels: 4,
    sha256: "",
  },
  png: {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAIAAACDRijCAAAEk0lEQVR4nAXBfVBTBQAAcB5ubIOxjW1s7H3vvbe3vY+9bex7" +
      "MLQu6TD7Qy/N4lJS77DTrDzlSNOursO8PrQsvUv/4EjOy68Kc+TlSeqFBqegkgYkg4F8OWBsMmUbW78fkGfbqtBqEQQDQQIk" +
      "IAg1Q2CGYKuFA4//PcTU8JAEMlIGDIRAiOQMyCEY+ZI0wkI9dPUUuF6ASg2EicS1oAaofK9djZMkH7Ho98Ofqqn79DJO24CN" +
      "LyQM+ox1QkBK4c9JsstSxIGNuGUyGWPTDTAvzaAKMTGNqQ3sfktbBGsmRBvfacPasfnTqVYToJ3RmKXaYjGWVK4pfKGTzF5a" +
      "1cKaVc8fMcgFNY3kwWHEliML8vEfSzomhZGEaaqMiGH3ZtGQARVNR/+U/4OMX7HfmKjXVIQn+BRdkr/hYerJs+GZ+O2520BC" +
      "9+pYZtktNDyzSTk/X4w/SdUrpiNThYkH6gVxwbOseoxVdq9CAOWLX2iJAhMPMQiOS99VYL1SsZPbhB+e45udRpqRoEUOquQG" +
      "RTSKbKT2pJn4FqF47V4eazOwdmkZhG4zk2G0jAHqT4zqoI+NfAsOu+xb8LO3iF3ltAkmENwJWcYQYy22Q8n+YZU5iXU4OYSX" +
      "C+gcgm8AnWL4ph3fSiMwjrOUzgAB1zM1pmPZ8HnFTgejz6xUlXVmyr9CHWb+BCO0IohDvm+pvFN3m7M3PbPTJac5qgXlGLmL" +
      "cvToHu4u3AfilJm26wwQ8NZ369EBOxBb3uXHaf954WE7fW6Gtnp+H3Vfm15ifad7AsbF4Tx3a7+Z8/CT3tSk6KjrlNoB5qYU" +
      "d36KsDjFslYdiIj6wtvj5YPlqjtb76R7+u89GCjL/rcuV9zTXzE1ULJM0T2+akSSiqzoebxGrL4rCyTSesVQdy42D3ie5u+M" +
      "irp04vFMsTijB44d709x36vGQ9ie5Q1woNdHOdhZYmm3lc3Cc8sXP/DypbKbPuwAD+G5vSb6KZ1yCjtV+XKvyv/IIHz2fh4T" +
      "ASEWywcisuABhGpmHXbGQhJVhP0yJvsErnXb4taIR9jAWOVkIy90Euoq40YOmQgYvYtmS91uUnGB97pAjtxSRQyf0VmbgBWv" +
      "HSxAghrPAmXbZW2gHH1WkZt6uzgYZ5rNnjNSJmj5yGj520G4YVax6xQdP+oJ2KyYvCmovzJo9e13g2yryXYQMwB1v8U4LuRP" +
      "XoSPLH7zqHpEP24K/tpf4QdDGV+HxOJZeXzyXF/RpD3opSqeJ65ZYiGl23XCl0JHlPgRU5r6oSKd7BvjLop2XOvomrobApSW" +
      "6Nrw2sF49r64K7k5b+nBUM2N59Bs3q3RN6KJlGS+W5GSjAajEpUSbldplgbR+JPipGQgXTDtlRe8qSFF+W1n+3o9lz2rHZvT" +
      "ftnVotDiwqXtksfZgUpN24p0eOG6TV1VO2iHOxKzsz8rtENpxnOdNsv+Crh6ozuSv8Q0UiVBFZJBIPDhBaPRx3ujhHmbt95x" +
      "tm/1npWlJq7OWpmzTFcTtRWkrkYIdCmcjWsrq4ZPvuL5OscH6ihXKed/SYdWvl738sDoed7Z9D+wabp/8eXbhQAAAABJRU5E" +
      "rkJggg==",
    size: [16, 24],
    channels: 3,
    sha256: "44e5417a1e2f4fbd4665e0c7bb3e4bfbe1a073b2e1cdb132a5112d6056826bbb",
  },
  pngGray: {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAAAAAApT+BJAAABm0lEQVR4nAGQAW/+AScSHRsfHhcOvrPmFh0aIgsMIbe57Bgk" +
      "FwFoHCELwPUc5vgKFgoYGLv9E+wECw4R29QEUeLW8uEGDhIZCNkB6+PvFA8A4vIKBAX/BObZ1fofJRr7/+rYIPTtLQb8JOHj" +
      "DAETPwE7Gygh/RELstkFJRUNECDQzSf1/BYIHRwBlAcZILbK9x8iHAm06SXkDh0JJuyzHCcYBELNtvYMJA8r1rwnAg4FPtbA" +
      "Jgj5CQwMDQSm+QkeI+3YFfT49C/r1godDfT++OYJFQcC7BIsC+jg6+ISKuwBCfbqFTP17QAW//f7BDYL7sLuFyX5DxXNAxMq" +
      "+vQB9+gjSNn8/gFQ7gIrJR4Argsc6wgiHLAAKRHtByS17hMEBDAkFsDSJQoIDS/Czfoy+gUj5tTsNwDxBE4dA8byAfo43NYJ" +
      "7vf/KNvS+Roe88nzCQT02PbtJvPhGP7z6yn15QoDIgHp+v3/Hh0EyfoQLwnX5A4PJPQn/cngFRP42fEiFR4fBA0kKxC85BgA" +
      "IQew/ypC98TNHSxSH3esHU0/qMQB6hyUAAAAAElFTkSuQmCC",
    size: [16, 24],
    channels: 1,
    sha256: "885a0a4179831f4a219d136de4aaffcf99b61da9c2a2651cf50020376e4303da",
  },
  pngGrayAlpha: {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAQAAACmLXceAAAC4ElEQVR4nAXB22rTYAAA4PxtuubPqYeYNOvyJ22aNFs7qSio" +
      "ICjsyitRn8I32Iv4DF6JDKeTsSFlyKCDgIwZG+bF2tWwLQdZmzZt1jZ+HzCMYhGhtTVFkeVSiWW/f9/ddRxBQKhcVlWKoulq" +
      "9du3/X3PE0VNK5XAu3eSVK1SVLs9HkuS40ynJCkIJCmKonhwsFhwnOfhOEWxbKFwfn52hr950+9b1nDY662ssGyxuLpKELYN" +
      "gOteXv77d+9eLodh/f5wSJI4nskkCe44tv3rVxwriq6Xy3d3SXJz0+1WKmHo+/fvr6zM55rW611e0jQAHPfiBXj2bG1tfb1a" +
      "XSwKBYr6/Nm2Mxld53mGyecrlZ8/TdMwxuP5XBAIAiFJAu/fZ7Orq5XK3t7JSRQpiqpKEoRfvlxf6/pgwLIIQVive97uriQZ" +
      "hijiW1umubc3mdC0puVyzaZlHR4aRirFspnM8+eW1W7X6wQxm0FI0zTNMPiHD7MZhLJcq/l+t8vzYTidhmGr5bqWRZIIMUwY" +
      "LpfTqeNAyPPZbMrzisXNTYq6urq4cN1+v1hsNDwPAAgnk5sbnn/0aDz2fQwThCSJors7/PFjigqCo6MgKJV0fTbL5XjeNNNp" +
      "jms04jgMAYiiq6ta7eVL257Pl0vw+nUQpFLNpq7LMoZ9+kRRkuS6BKGqkrSzg2EbG4WC72ezmvb1axBwHI7jDx5omiC026en" +
      "uk6SBMEwrdbRkWnG8cOHcZzJ1GqOc3bmeU+eYNjtLf7qFULp9PHxcAhAHD99+uePZUEYBFGUJOvr5+enp7NZuSzLo1GnMxpB" +
      "iIdhtzuZ+H69Phr1eqK4XI5GrruxMR7//UuS6bSqAnB9HceLRZLIMkJ4pxPH+XyrBeHv34MBy+ZymhaGhrFYdDoXFzzPcdOp" +
      "bd/eqirPy7Ki4Ayjac1mPn94OBiIIoZVq9nszk6SNBpbW1H044dpIrS5+fatomxvf/yI0H/oxFFnU1tJLgAAAABJRU5ErkJg" +
      "gg==",
    size: [16, 24],
    channels: 1,
    sha256: "885a0a4179831f4a219d136de4aaffcf99b61da9c2a2651cf50020376e4303da",
  },
  pngAlpha: {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAYAAAAMJL+VAAAF+ElEQVR4nAXBe1CThwEA8HyQ9+NLyDvfO98zyfflRSBAIGh7" +
      "01Xn7qbXbm7etax1h7uy7s7rnF1nd9sfdr11q1t7W2+2N87KvNXpHNY4r55a3FDwqNRiEIIGAkQeIZAnkOd+P0DkPcyBRqMe" +
      "RXEUgkgYImEcxjgMhioW0rUb9Ly1eOPRO87LewQ4KYPtZtqGoxAMQTDFkzb0HRWCvqum7Ijd0wtfvXEWuvZdD5wy2UgrQxG0" +
      "ETJYgK6fXj2iJyiEEhJ2h+WECvmN/hb9NVto5I3IMTyZLORsW5aKW/nUg5pNyG+VFDVqdah4K3Sc+NyxVKxuuMqGY4iQklcw" +
      "MSghVSu4HrS5TjQ5BhMxvJ+cEL/448H9+FU8kTlXig4wQNa4Zpjj5EapRoKDRe1+vfKZYRtVuyLfe8Y1xem2gMdOdPWinp1H" +
      "Rch6HPUa65RU20B8Imq6uZTwzOWyzLJVSW7g4gdpTBKxYXXxSupWUv0QnUpe9z28/bS3ZOiM40+FEsM2NUAHJ0vl1c3Z+lp2" +
      "bGV9DHiUM3+bWKg05u9i8bW1l7TuTEYjJVZLlV5whU4sK+dyUf18QSJVb9b0wIJLa7i3F90BaJ/9XaeRlMKMADucKGEn5D+p" +
      "gvh4k1wSUPEvEYPvrQtT/QG7hHXKGEzlN9FNtzU0eVwn9lKE8SNunPwTOkYLRu4XAl4YtLkqPrnVDGNH5BwVRzGrEwF6T89/" +
      "YIZ/JbMLZ2wE0kL4XiEi5++So0eb2U0GIXGUCJCwYwFB7YcUeJ/2M9fn7mVFgGReIKiFJ0Qz6MHWUZQ4qIACEha540sRh9nL" +
      "KEIghIvmzDbYCgxV9kSZP9fG4hfAO6/5nUVLZZdaZx1WV5p/r8X8HC+cdkY9A+gM6ldzb1abZ4bNYwXedxLZ9LFo0zk+Sp/B" +
      "Jnmnmm2h/fx98+T268o3xyCCxjnWx5ltsE18+kPN37EZ3zaA71DoOQKzd1ygPJO31tiPiUes22v6z3xr/hRb3XK5z+UzoUkv" +
      "PSta9QzwUW4iqBSW2tASL9a833I2P+KP1+rL4Bb+j31JF0ErXHG3yQyhMvFE/NVUtjmGN+u+tB7+spy/P/VgKTptXazNvLBa" +
      "19xPTHUu66ebGpXgveTi3jmZtZTYqbi/uL8o0X+1ogjl/GULSD25V49sZIC1YL5B+lpKbB41S+rJimZTUrGUxT+ircESeUGl" +
      "S0bSpr/tGLqOhNLj7bTF35dmyGpk283VtEfWd5i2z/eN0SZF45123NB/FHYR9Y9LDJvPs6UA0BNp32xQty3pOh5TtjcGnntX" +
      "tDKVgGYrLryhBiQU4e+8hdLpfpe/wed08BTZzZC+axiu+LUIOdR60Zt1qxJBD3LQ6V5VU8flgmeYJPXdiP1F/hL6NCSyt207" +
      "OUdP0+sUuHZRaJO1QDxNvdJ9hZz9NG12nzQAO59/+3kpGoYMwQJNe4+a3cfoW/4Jd0ncSjM/1ITjWWe/ggt+apc7w6Tjl/Yh" +
      "x4g/Q7Yibhd4VHyWzZbeD4YkXjcuqE+Gb1uux2Lu9hN4K+SiBxiv6G3clgF6Pts4w/MRtKN4uRE5tT38x8e7H8xZkgAT/jc7" +
      "1dmBQpHKTPtNWcoR3BX4y9I/RyZUS5u+cFs73bnlzn3hiG1EtA9aW05T7SVMN6clxKeYco7+a2e0XJzILfCXFeK+L27mR5e/" +
      "ehQBtEVH6sBa/ECMzda+zklGi3Mvi6rW6JM9tdtbcC4turs6//2UM1eSFTL3wMWSbF4ZTskadVqEvKozANUYtpxd1ZSKsulq" +
      "WbpSb1NLsR8YKFTcMHh+ZGI8WLoW3Kfzv1z2dihuKFSR7cnClVcXZIs1cLrLoB3cWabjhaG8V9/NHYr5qsjN3Eg6/a9Z0PjE" +
      "VHYGDUMst6X4X2iqZTyV6SteIjcMcpOWpDElFcaB0BsX++z2dlpoS/Ekd0TX1uu/fn5i38Of7TI1MHyP3t1V9zlWdsvIQ52X" +
      "KPMewhMadYGB4/oDXd2bsx9967/BP9THhFAPSreYBL7jG0Ez1oV/r+ebP5+evxATAifR/wOnSWQZoLmSrQAAAABJRU5ErkJg" +
      "gg==",
    size: [16, 24],
    channels: 3,
    sha256: "44e5417a1e2f4fbd4665e0c7bb3e4bfbe1a073b2e1cdb132a5112d6056826bbb",
  },
  pngPalette: {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQCAMAAAA7+k+nAAAAPFBMVEWy50CI2WessWSDtnBT4GdZxnFWsoG+kW1/ko5Ukpwx" +
      "lZfbbYXZWpOlanS4QYy4H3tpbYYscaZOT4tcK5KMaA4yAAAA7UlEQVR4nC1QCbIlIQhDkc0WRb3/XQffH6ssMSwJgXP2NlOQ" +
      "9QsQ4PtFkB/wNeIcI4C5PstDvqCI87lzM04Xjql5h/iFLN+dWRHXjM6m1df8tMMbXAHW3W9wUg3bRqXAH93+T5VZatk7xqtJ" +
      "tJVET4Jx53AiKsARRtU/P07sPkagnlBNuaoY07VH1euiwbpeQrHmQp2grqmb6REIc/vJMYaVxL2VmSi2dqfD2X9yemu52Vdb" +
      "syuCHazAdw+28LSFi0aVNOAEDMRp7BJXiQzlQ09XXB6Hod9pnUnTLqF9PZ8nN2e9fR9xS1RE7j3/ACztD4BtcN3cAAAAAElF" +
      "TkSuQmCC",
    size: [16, 24],
    channels: 3,
    sha256: "5d2d2ab3eab2309c4ca9d6e04576d64c6c994fa28a4be2ac00dda6493f2ca17f",
  },
  pngPalette2: {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQAgMAAABxSlcGAAAADFBMVEV6yGlykou8TYJQVpLgik0XAAAAe0lEQVR4nAFwAI//" +
      "AP9Ur/QK/QDUq/QKvUYAKetKHl6rAgLqAJfs+gD1Av1Br0AAQK9Sr0CqAushGRJqVgIyOkmp6/UB1UU6JfxAAEL0CnQqAAC/" +
      "Uq0KoDoB9LcW51+ZAELwa9HJPQJUZQlBvD0CJ9UAWAorANSsCqPoP5KtLc12SWyOAAAAAElFTkSuQmCC",
    size: [16, 24],
    channels: 3,
    sha256: "ef5a838334a45147ca5dc99f6f2a431a2e16a78c7f1cc28ce7b5f1145d3cf11a",
  },
  pngBits: {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQAQAAAAAkX4I4AAAAS0lEQVR4nAFAAL//ARf0VwGyAuYEGAv2AUpLtQE2IFUCowwK" +
      "AswzcQFaUAkCEAjyAjuY9QEWl7wAsmXWAes/LwFUV/oC1a8GAbX4i3u4FeYkGpb0AAAAAElFTkSuQmCC",
    size: [16, 24],
    channels: 1,
    sha256: "d0936893eae32122a1f341ed63c4fc3b357152e186c66b12555b1829b26e888d",
  },
  png16: {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAABgAAAAQEAAAAAB53zwKAAADG0lEQVR4nAEQA+/8ASdyEvodlxshH6EeNheVDva+PrNN5m4W" +
      "lh3zGhoiqgslDPQhn7dZuTfsZBiYJCwXmQFoPRyUIR8L9cBA9QscpOZe+NgKMhbuCrIYGBj4uzX9AxOt7FQE/AsJDq4R89th" +
      "1OwEUa/i4tY+8grh9gbcDlISBhm9CAjZVwH56+Xj+O8VFOwP9QCs4mLyAAoEBCwF//8BBObe2VfV+/roHyEltxoi+9X/BeoB" +
      "2PggafTj7RMtpwbm/P8kLOH94+0MSwG4E5k/GgScpBviNSghn/3/ESYL9bJ22dcFByUbFZkNAyvwIA/Q/80vJ80T/Q8EFrgI" +
      "6B02HKQBlMEHDRkTIKC2Xsoi9x0fISKaHCQJ57RM6eslC+TcDi4dpwkHJgbs5LM9HDQnjRg4AkLCCCi2Xoy04lokLDy0SKj8" +
      "BLw02voCAg7uBQc+vgYOwEDdX+Li7xEJBwz0DAQN7wSmpvmdCQYetyMh7c/YUxWk9GD44PRML5nrEdYuChcdnw1Q9Pz+/vj4" +
      "5l4JzRUOBwYC7BQSsiykC+noyOBg6+niYhKyKsrsFAH/CQv2FupiFesz0fX77WcAABaW//33+fsBAjaOIir4+MI6sFDi4iQc" +
      "+gIP7R0j6MjXeff1KgoF6/T888332egIBQtIyBXv/AT+1gFQBe5mAqorKSWHHjYAAK4OCykcpOtlCOgiqhwUsFAAACmnEfPt" +
      "EwfpJBy1W+7OEy0BVAEaOiSMFjbAQPr6JZvfYQkHIYsiIsI68Q8tlwT8+gIF+yzUwz3bOR8hJMwAAPHPBE72HfMDrcYW8tIB" +
      "//oCOJjcZNZuCZnuFvfV//0oKNvh0nn5nRrwHu3zyclH880JJwGWwwH/9hboSAu181HvETeV32Hh3yvFBw319/ZOJasB+/EP" +
      "AgL4+PoC/VfsFBLqHaMBXwr6AhAwL5EJJ9c5zuYqEg8F/v77BTPR/f/JJwoKFZcQMPjY0HDxzyIiBPwenh8hBA0vJIwrKRCw" +
      "vAXk3BgCAAAhywf9sBD/JCrSQsL3GcQ8zTMdnyzEUh4fnXd5rLYdn1PrYaVTdykwAAAAAElFTkSuQmCC",
    size: [16, 24],
    channels: 1,
    sha256: "885a0a4179831f4a219d136de4aaffcf99b61da9c2a2651cf50020376e4303da",
  },
};
