import { VicError } from '@vic/errors';
import {
  compareVersions,
  dataTypeMeta,
  enumMeta,
  isDataSubtype,
  isManagedSubtype,
  type ApiVersion,
  type DataTypeMeta,
  type PropertyMeta,
} from './metadata.ts';
import { isReference, TypedValue } from './values.ts';
import { arrayNames, INTEGER_RANGE, isSimple, XSD_NAMES } from './wire-types.ts';
import { escapeAttribute, escapeText } from './xml-writer.ts';

/** How to encode. */
export interface EncodeOptions {
  /** The version agreed with the peer, which does not understand what is newer. */
  readonly version?: ApiVersion | undefined;
  /**
   * What happens to a value that is too new: a server leaves it out, which is the default; a client refuses, because
   * what its caller asked for would not be done.
   */
  readonly tooNew?: 'omit' | 'refuse';
}

/** Writes a value of a wire type as an element; `undefined` gives nothing, a list one element for each item. */
export function encodeElement(name: string, type: string, value: unknown, options: EncodeOptions = {}): string {
  return new Encoder(options).element(name, type, value, name);
}

class Encoder {
  readonly #options: EncodeOptions;

  constructor(options: EncodeOptions) {
    this.#options = options;
  }

  element(name: string, type: string, value: unknown, path: string): string {
    if (value === undefined || value === null) return '';
    if (type.endsWith('[]')) return this.#list(name, type.slice(0, -2), value, path);
    if (type === 'anyType') return this.#any(name, value, path);
    if (type.startsWith('@')) return this.#reference(name, type.slice(1), value, path, '');
    const text = isSimple(type) ? simpleText(type, value, path) : this.#enumText(type, value, path);
    return text === undefined ? this.#data(name, type, value, path, false) : `<${name}>${text}</${name}>`;
  }

  #list(name: string, itemType: string, value: unknown, path: string): string {
    if (!Array.isArray(value)) throw unencodable(path, `a list of ${itemType}`);
    const encodeItem = (item: unknown, index: number): string => {
      if (item === undefined || item === null) throw unencodable(`${path}[${index}]`, itemType);
      return this.element(name, itemType, item, `${path}[${index}]`);
    };
    return value.map(encodeItem).join('');
  }

  #any(name: string, value: unknown, path: string): string {
    if (value instanceof TypedValue) return this.#typed(name, value.type, value.value, path);
    if (Array.isArray(value)) return this.#typed(name, `${itemTypeOf(value, path)}[]`, value, path);
    if (isReference(value))
      return this.#reference(name, 'ManagedObject', value, path, typeAttribute('ManagedObjectReference'));
    const simple = simpleTypeOf(value);
    if (simple !== undefined) return this.#typed(name, simple, value, path);
    return this.#data(name, '', value, path, true);
  }

  #typed(name: string, type: string, value: unknown, path: string): string {
    if (value === undefined || value === null) return '';
    if (type.endsWith('[]')) {
      const { array, child } = arrayNames(type.slice(0, -2));
      return `<${name}${typeAttribute(array)}>${this.element(child, type, value, path)}</${name}>`;
    }
    if (type === 'anyType') return this.#any(name, value, path);
    if (type.startsWith('@'))
      return this.#reference(name, type.slice(1), value, path, typeAttribute('ManagedObjectReference'));
    if (isSimple(type)) return `<${name} xsi:type="xsd:${XSD_NAMES[type]}">${simpleText(type, value, path)}</${name}>`;
    const text = this.#enumText(type, value, path);
    if (text !== undefined) return `<${name}${typeAttribute(type)}>${text}</${name}>`;
    return this.#data(name, type, value, path, true);
  }

  #reference(name: string, type: string, value: unknown, path: string, attribute: string): string {
    if (!isReference(value)) throw unencodable(path, `a reference to a ${type}`);
    if (!isManagedSubtype(value.type, type))
      throw unencodable(path, `a reference to a ${type}, not to a ${value.type}`);
    return `<${name} type="${escapeAttribute(value.type)}"${attribute}>${escapeText(value.value)}</${name}>`;
  }

  #enumText(type: string, value: unknown, path: string): string | undefined {
    const meta = enumMeta(type);
    if (meta === undefined) return undefined;
    if (typeof value !== 'string' || !meta.values.has(value)) throw unencodable(path, `one of the values of ${type}`);
    return value;
  }

  #data(name: string, declared: string, value: unknown, path: string, alwaysTyped: boolean): string {
    const fields = fieldsOf(value, declared, path);
    const type = this.#typeOf(fields, declared, path);
    const attribute = alwaysTyped || type.name !== declared ? typeAttribute(type.name) : '';
    return `<${name}${attribute}>${this.members(type.properties, fields, path)}</${name}>`;
  }

  /** The members of a data object or the arguments of a call, in wire order. */
  members(properties: readonly PropertyMeta[], fields: Readonly<Record<string, unknown>>, path: string): string {
    let body = '';
    for (const property of properties) {
      const value = fields[property.name];
      if (this.#isTooNew(property.since)) {
        if (value !== undefined && value !== null) this.#leaveOut(`${path}.${property.name}`, property.since);
        continue;
      }
      if (value !== undefined && value !== null)
        body += this.element(property.name, property.type, value, `${path}.${property.name}`);
      else if (!property.optional && !property.isList)
        throw unencodable(`${path}.${property.name}`, 'a value: it is required');
    }
    return body;
  }

  /** The type to send: the object's own, or the nearest base that the peer's version knows. */
  #typeOf(fields: Readonly<Record<string, unknown>>, declared: string, path: string): DataTypeMeta {
    const name = typeof fields['$type'] === 'string' ? fields['$type'] : declared;
    const actual = dataTypeMeta(name);
    if (actual === undefined) throw unencodable(path, name === '' ? 'a $type' : `a known type, not ${name}`);
    if (declared !== '' && !isDataSubtype(name, declared)) throw unencodable(path, `a ${declared}, not a ${name}`);
    for (const key of Object.keys(fields)) {
      if (key !== '$type' && !actual.byName.has(key))
        throw unencodable(`${path}.${key}`, `known: ${name} has no such property`);
    }
    let type = actual;
    if (this.#isTooNew(type.since)) this.#leaveOut(path, type.since);
    while (this.#isTooNew(type.since) && type.name !== declared && type.base !== undefined)
      type = dataTypeMeta(type.base) ?? type;
    return type;
  }

  #leaveOut(path: string, since: ApiVersion): void {
    if (this.#options.tooNew !== 'refuse') return;
    throw new VicError({
      class: 'NotSupported',
      code: 'VIM_VERSION_TOO_OLD',
      message: `${path} needs vSphere API ${since}; the server has ${this.#options.version ?? 'an older one'}.`,
    });
  }

  #isTooNew(since: ApiVersion): boolean {
    const { version } = this.#options;
    return version !== undefined && compareVersions(since, version) > 0;
  }
}

/** Writes the arguments of a call. */
export function encodeArguments(
  properties: readonly PropertyMeta[],
  args: object,
  path: string,
  options: EncodeOptions,
): string {
  const fields: Readonly<Record<string, unknown>> = { ...args };
  const known = new Set(properties.map((property) => property.name));
  for (const key of Object.keys(fields)) {
    if (!known.has(key)) throw unencodable(`${path}.${key}`, 'known: the method has no such parameter');
  }
  return new Encoder(options).members(properties, fields, path);
}

function typeAttribute(type: string): string {
  return ` xsi:type="${type}"`;
}

function fieldsOf(value: unknown, declared: string, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unencodable(path, `a ${declared || 'value'}`);
  return value as Readonly<Record<string, unknown>>;
}

function simpleTypeOf(value: unknown): string | undefined {
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (value instanceof Date) return 'dateTime';
  if (value instanceof Uint8Array) return 'binary';
  if (typeof value !== 'number') return undefined;
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) return 'double';
  return isInRange('int', value) ? 'int' : 'long';
}

/** The item type of a list whose type nobody stated. */
function itemTypeOf(items: readonly unknown[], path: string): string {
  const types = new Set(items.map((item) => simpleTypeOf(item) ?? (isReference(item) ? '@ManagedObject' : '')));
  const [only = ''] = types;
  if (types.size !== 1 || only === '') throw unencodable(path, 'a TypedValue: the type of this list cannot be told');
  return only;
}

function simpleText(type: string, value: unknown, path: string): string {
  switch (typeof value) {
    case 'string':
      if (type === 'string') return escapeText(value);
      break;
    case 'boolean':
      if (type === 'boolean') return String(value);
      break;
    case 'number':
      return numberText(type, value, path);
    default:
      if (type === 'dateTime' && value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString();
      if (type === 'binary' && value instanceof Uint8Array) return value.toBase64();
  }
  throw unencodable(path, type);
}

function numberText(type: string, value: number, path: string): string {
  if (type === 'float' || type === 'double') return floatText(value);
  if (!isInRange(type, value)) throw unencodable(path, `a number that fits ${type}`);
  return String(value);
}

function floatText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
  if (Number.isNaN(value)) return 'NaN';
  return value > 0 ? 'INF' : '-INF';
}

function isInRange(type: string, value: number): boolean {
  const range = INTEGER_RANGE[type];
  return range !== undefined && Number.isInteger(value) && value >= range[0] && value <= range[1];
}

function unencodable(path: string, expected: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'VIM_ENCODE', message: `${path} must be ${expected}.` });
}
