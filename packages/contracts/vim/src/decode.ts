import { make } from './data-object.ts';
import {
  dataTypeMeta,
  enumMeta,
  isDataSubtype,
  isManagedSubtype,
  managedTypeMeta,
  type DataTypeMeta,
  type PropertyMeta,
} from './metadata.ts';
import { decodeSimple } from './decode-simple.ts';
import { VimFault } from './vim-fault.ts';
import { arrayItem, fromXsdName, isSimple } from './wire-types.ts';
import { NAMESPACE, type XmlElement } from './xml-reader.ts';

/** How to decode. */
export interface DecodeOptions {
  /**
   * `strict` refuses everything the schema does not allow: order, unknown elements, missing members, wrong types.
   * `lenient` takes what it knows, so that a newer server can be read.
   */
  readonly mode: 'strict' | 'lenient';
}

/** A decoded data object: its fields, with `$type`. */
export type DecodedFields = Record<string, unknown>;

/** Reads an element as a value of a wire type that is not a list. */
export function decodeElement(element: XmlElement, type: string, options: DecodeOptions): unknown {
  return new Decoder(options.mode === 'strict').value(element, type, element.local);
}

/** Reads elements as the members of a data object or the arguments of a call. */
export function decodeMembers(
  elements: readonly XmlElement[],
  properties: readonly PropertyMeta[],
  path: string,
  options: DecodeOptions,
): DecodedFields {
  const fields: DecodedFields = {};
  new Decoder(options.mode === 'strict').members(fields, elements, properties, path);
  return fields;
}

class Decoder {
  readonly #strict: boolean;

  constructor(strict: boolean) {
    this.#strict = strict;
  }

  value(element: XmlElement, type: string, path: string): unknown {
    if (element.isNil) return undefined;
    if (type === 'anyType') return this.#any(element, path);
    if (type.startsWith('@')) return this.#reference(element, type.slice(1), path);
    if (isSimple(type)) return this.#simple(element, type, path);
    if (enumMeta(type) !== undefined) return this.#enum(element, type, path);
    return this.#data(element, type, path);
  }

  members(
    fields: DecodedFields,
    elements: readonly XmlElement[],
    properties: readonly PropertyMeta[],
    path: string,
  ): void {
    let position = 0;
    for (const element of elements) {
      const at = properties.findIndex((property) => property.name === element.local);
      const property = properties[at];
      if (property === undefined || (this.#strict && element.uri !== NAMESPACE.vim)) {
        if (this.#strict) throw invalidRequest(`${path} has an element ${element.local}, which does not belong there.`);
        continue;
      }
      if (this.#strict && at < position)
        throw invalidRequest(`${path}.${element.local} comes after elements that must follow it.`);
      position = at;
      this.#addMember(fields, element, property, `${path}.${element.local}`);
    }
    this.#checkRequired(fields, properties, path);
  }

  #addMember(fields: DecodedFields, element: XmlElement, property: PropertyMeta, path: string): void {
    const value = this.value(element, property.itemType, path);
    if (value === undefined) return;
    if (property.isList) {
      const list = fields[property.name];
      if (Array.isArray(list)) list.push(value);
      else fields[property.name] = [value];
      return;
    }
    if (this.#strict && property.name in fields) throw invalidRequest(`${path} is there more than once.`);
    fields[property.name] = value;
  }

  #checkRequired(fields: DecodedFields, properties: readonly PropertyMeta[], path: string): void {
    for (const property of properties) {
      if (property.optional || property.name in fields) continue;
      if (property.isList) fields[property.name] = [];
      else if (this.#strict) throw invalidRequest(`${path}.${property.name} is missing.`);
    }
  }

  #simple(element: XmlElement, type: string, path: string): unknown {
    this.#refuseChildren(element, path);
    const value = decodeSimple(type, element.text, this.#strict);
    if (value === undefined) throw invalidRequest(`${path} is not a valid ${type}.`);
    return value;
  }

  #enum(element: XmlElement, type: string, path: string): string {
    this.#refuseChildren(element, path);
    const text = element.text.trim();
    if (this.#strict && enumMeta(type)?.values.has(text) !== true)
      throw invalidRequest(`${path} is not a value of ${type}.`);
    return text;
  }

  #reference(element: XmlElement, declared: string, path: string): { type: string; value: string } {
    this.#refuseChildren(element, path);
    const type = element.typeAttribute ?? (this.#strict ? undefined : declared);
    if (type === undefined) throw invalidRequest(`${path} is a reference without the attribute type.`);
    if (this.#strict && managedTypeMeta(type) === undefined)
      throw invalidType(`${path} refers to an unknown type.`, type);
    if (this.#strict && !isManagedSubtype(type, declared))
      throw invalidType(`${path} must refer to a ${declared}.`, type);
    return { type, value: element.text };
  }

  #data(element: XmlElement, declared: string, path: string): DecodedFields {
    const type = this.#dataType(element, declared, path);
    const fields: DecodedFields = { $type: type.name };
    if (this.#strict && element.text.trim() !== '')
      throw invalidRequest(`${path} has text where elements are expected.`);
    this.members(fields, element.children, type.properties, path);
    return fields;
  }

  #dataType(element: XmlElement, declared: string, path: string): DataTypeMeta {
    const declaredType = dataTypeMeta(declared);
    if (declaredType === undefined) throw invalidType(`${path} is declared as an unknown type.`, declared);
    const named = element.xsiType;
    if (named === undefined) return declaredType;
    const actual = named.uri === NAMESPACE.vim || !this.#strict ? dataTypeMeta(named.local) : undefined;
    if (actual !== undefined && isDataSubtype(actual.name, declared)) return actual;
    if (this.#strict) throw invalidType(`${path} must be a ${declared}.`, named.local);
    return declaredType;
  }

  #any(element: XmlElement, path: string): unknown {
    const named = element.xsiType;
    if (named === undefined) {
      if (this.#strict) throw invalidRequest(`${path} does not say its type.`);
      return element.children.length === 0 ? element.text : { $type: 'DynamicData' };
    }
    const type = named.uri === NAMESPACE.xsd ? fromXsdName(named.local) : vimType(named.local);
    if (type === undefined || (this.#strict && named.uri !== NAMESPACE.xsd && named.uri !== NAMESPACE.vim)) {
      if (this.#strict) throw invalidType(`${path} is of an unknown type.`, named.local);
      return element.children.length === 0 ? element.text : { $type: 'DynamicData' };
    }
    if (!type.endsWith('[]')) return this.value(element, type, path);
    return element.children.map((child, index) => this.value(child, type.slice(0, -2), `${path}[${index}]`));
  }

  #refuseChildren(element: XmlElement, path: string): void {
    if (this.#strict && element.children.length > 0)
      throw invalidRequest(`${path} has elements where text is expected.`);
  }
}

/** The wire type that an `xsi:type` of the VIM namespace names; pyVmomi says `ManagedObject` for a reference. */
function vimType(name: string): string | undefined {
  if (name === 'ManagedObjectReference' || name === 'ManagedObject') return '@ManagedObject';
  if (dataTypeMeta(name) !== undefined || enumMeta(name) !== undefined) return name;
  const item = arrayItem(name);
  if (item === undefined) return undefined;
  const isKnown = isSimple(item) || item === 'anyType' || item.startsWith('@') || vimType(item) === item;
  return isKnown ? `${item}[]` : undefined;
}

/** The fault for a request that the schema does not allow. */
export function invalidRequest(message: string, cause?: unknown): VimFault {
  return new VimFault({ fault: make('InvalidRequest', {}), message, cause });
}

function invalidType(message: string, argument: string): VimFault {
  return new VimFault({ fault: make('InvalidType', { argument: argument.slice(0, 100) }), message });
}
