/**
 * The shape in which TLA+ values reach the codec. Structurally the canonical values of `keos/tlc`, which this room does
 * not import.
 */
export type Value =
  | boolean
  | number
  | string
  | { readonly kind: "model"; readonly name: string }
  | { readonly kind: "set"; readonly elements: ReadonlyArray<Value> }
  | { readonly kind: "function"; readonly entries: ReadonlyArray<readonly [Value, Value]> }
