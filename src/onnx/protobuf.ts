/**
 * The one door to the protobuf library and to the messages generated from the ONNX schema.
 *
 * `onnx_pb.ts` is generated from `onnx-ml.proto` of the ONNX project (release 1.23, copied as `onnx.proto`):
 *
 *     npm install @bufbuild/protoc-gen-es@2.17.0 @bufbuild/protobuf@2.17.0
 *     protoc --plugin=protoc-gen-es=node_modules/.bin/protoc-gen-es \
 *       --es_out=src/onnx --es_opt=target=ts,import_extension=none onnx.proto
 *
 * Fields that the schema does not know are kept by the messages (`$unknown`) and written back.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";

export {
  clearField,
  create,
  fromBinary,
  isFieldSet,
  mergeFromBinary,
  toBinary,
} from "@bufbuild/protobuf";
export type { MessageInitShape } from "@bufbuild/protobuf";
export * from "./onnx_pb.ts";

/**
 * The parts of a message that have no place in the model value, as bytes that can be merged back.
 *
 * @param leftover The known fields among them.
 * @returns `undefined` when there is nothing to keep.
 */
export function encodeRest<Schema extends DescMessage>(
  schema: Schema,
  message: MessageShape<Schema>,
  leftover: MessageInitShape<Schema>,
): Uint8Array | undefined {
  const rest = create(schema, leftover);
  if (message.$unknown !== undefined) rest.$unknown = message.$unknown;
  const bytes = toBinary(schema, rest);
  return bytes.length > 0 ? bytes : undefined;
}
