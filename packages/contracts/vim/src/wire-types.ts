/** The simple wire types and the names they have in XML Schema. */
export const XSD_NAMES: Readonly<Record<string, string>> = {
  string: 'string',
  boolean: 'boolean',
  byte: 'byte',
  short: 'short',
  int: 'int',
  long: 'long',
  float: 'float',
  double: 'double',
  dateTime: 'dateTime',
  binary: 'base64Binary',
};

const BY_XSD_NAME: ReadonlyMap<string, string> = new Map([
  ...Object.entries(XSD_NAMES).map(([type, xsd]) => [xsd, type] as const),
  ['anyURI', 'string'],
]);

/** The names that lists of simple types have, such as `ArrayOfString`; child elements are named after the type. */
const ARRAY_ITEM: Readonly<Record<string, string>> = {
  String: 'string',
  Boolean: 'boolean',
  Byte: 'byte',
  Short: 'short',
  Int: 'int',
  Long: 'long',
  Float: 'float',
  Double: 'double',
  DateTime: 'dateTime',
  Base64Binary: 'binary',
  AnyType: 'anyType',
  ManagedObjectReference: '@ManagedObject',
};
const ARRAY_NAME: ReadonlyMap<string, string> = new Map(Object.entries(ARRAY_ITEM).map(([name, type]) => [type, name]));

/** Ranges of the integer types; of `long` only what a JavaScript number holds exactly. */
export const INTEGER_RANGE: Readonly<Record<string, readonly [number, number]>> = {
  byte: [-128, 127],
  short: [-32_768, 32_767],
  int: [-2_147_483_648, 2_147_483_647],
  long: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};

/** The wire type of an XML Schema type name. */
export function fromXsdName(name: string): string | undefined {
  return BY_XSD_NAME.get(name);
}

/** Whether a wire type is one of the simple ones. */
export function isSimple(type: string): boolean {
  return Object.hasOwn(XSD_NAMES, type);
}

/** The `ArrayOf…` name of a list of this item type, and the name of its child elements. */
export function arrayNames(itemType: string): { readonly array: string; readonly child: string } {
  if (itemType.startsWith('@')) return { array: 'ArrayOfManagedObjectReference', child: 'ManagedObjectReference' };
  const simple = ARRAY_NAME.get(itemType);
  const child = itemType === 'binary' ? 'base64Binary' : itemType;
  return { array: `ArrayOf${simple ?? itemType}`, child };
}

/** The item type of an `ArrayOf…` name. */
export function arrayItem(name: string): string | undefined {
  if (!name.startsWith('ArrayOf')) return undefined;
  const item = name.slice('ArrayOf'.length);
  return ARRAY_ITEM[item] ?? item;
}
