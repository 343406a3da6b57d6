import { VicError } from '@vic/errors';
import { SaxesParser, type SaxesTagNS } from 'saxes';

/** The namespaces that VIM messages use. */
export const NAMESPACE = {
  vim: 'urn:vim25',
  soap: 'http://schemas.xmlsoap.org/soap/envelope/',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
  xsd: 'http://www.w3.org/2001/XMLSchema',
} as const;

/** Under this name clients call methods that VMware has not documented; hosts serve them all the same. */
const INTERNAL_VIM = 'urn:internalvim25';

/** A name with its namespace resolved. */
export interface QualifiedName {
  readonly uri: string;
  readonly local: string;
}

/** An element of a message, with everything that depends on prefixes resolved. */
export interface XmlElement extends QualifiedName {
  readonly children: XmlElement[];
  text: string;
  /** What `xsi:type` names. */
  readonly xsiType: QualifiedName | undefined;
  readonly isNil: boolean;
  /** The plain attribute `type`, which references have. */
  readonly typeAttribute: string | undefined;
}

/** Bounds of what a peer may send. */
export interface XmlLimits {
  readonly maxBytes: number;
  readonly maxElements: number;
  readonly maxDepth: number;
}

/** For a server: requests are small, and anybody may send them. */
export const REQUEST_LIMITS: XmlLimits = { maxBytes: 4 * 1024 * 1024, maxElements: 100_000, maxDepth: 200 };

/** For a client: a page of a large inventory may have many elements. */
export const RESPONSE_LIMITS: XmlLimits = { maxBytes: 64 * 1024 * 1024, maxElements: 1_000_000, maxDepth: 200 };

/** No element of a VIM message has more; each costs the parser memory. */
const MAX_ATTRIBUTES = 32;

/** Longer than any name of the API; names are repeated in errors. */
const MAX_NAME_LENGTH = 200;

/** Reads a message. There is no DTD, so no entity beyond XML's five; anything else is refused. */
export function readXml(source: string | Uint8Array, limits: XmlLimits): XmlElement {
  const size = typeof source === 'string' ? source.length : source.byteLength;
  if (size > limits.maxBytes)
    throw malformed(`The message has ${size} bytes; at most ${limits.maxBytes} are accepted.`);
  return new TreeBuilder(limits).read(decodeText(source));
}

class TreeBuilder {
  readonly #limits: XmlLimits;
  readonly #stack: XmlElement[] = [];
  #root: XmlElement | undefined;
  #elements = 0;
  #attributes = 0;

  constructor(limits: XmlLimits) {
    this.#limits = limits;
  }

  read(text: string): XmlElement {
    const parser = new SaxesParser({ xmlns: true });
    parser.on('error', (error) => {
      throw malformed(`The message is not well-formed XML: ${error.message.slice(0, 200)}`);
    });
    parser.on('doctype', () => {
      throw malformed('The message has a document type declaration, which is not accepted.');
    });
    parser.on('opentagstart', () => {
      this.#attributes = 0;
    });
    parser.on('attribute', () => {
      if (++this.#attributes > MAX_ATTRIBUTES)
        throw malformed(`An element has more than ${MAX_ATTRIBUTES} attributes.`);
    });
    parser.on('opentag', (tag) => this.#open(tag, parser));
    parser.on('closetag', () => void this.#stack.pop());
    parser.on('text', (chunk) => this.#addText(chunk));
    parser.on('cdata', (chunk) => this.#addText(chunk));
    parser.write(text).close();
    if (this.#root === undefined) throw malformed('The message is empty.');
    return this.#root;
  }

  #open(tag: SaxesTagNS, parser: SaxesParser<{ xmlns: true }>): void {
    if (++this.#elements > this.#limits.maxElements) {
      throw malformed(`The message has more than ${this.#limits.maxElements} elements.`);
    }
    if (this.#stack.length >= this.#limits.maxDepth) {
      throw malformed(`The message is nested more than ${this.#limits.maxDepth} deep.`);
    }
    if (tag.name.length > MAX_NAME_LENGTH) throw malformed('An element has a name that is too long.');
    const element = elementOf(tag, parser);
    this.#stack.at(-1)?.children.push(element);
    this.#root ??= element;
    this.#stack.push(element);
  }

  #addText(chunk: string): void {
    const element = this.#stack.at(-1);
    if (element !== undefined) element.text += chunk;
  }
}

function elementOf(tag: SaxesTagNS, parser: SaxesParser<{ xmlns: true }>): XmlElement {
  let xsiType: QualifiedName | undefined;
  let isNil = false;
  let typeAttribute: string | undefined;
  for (const attribute of Object.values(tag.attributes)) {
    if (attribute.uri === NAMESPACE.xsi && attribute.local === 'type') xsiType = resolve(attribute.value, tag, parser);
    else if (attribute.uri === NAMESPACE.xsi && attribute.local === 'nil')
      isNil = /^(true|1)$/.test(attribute.value.trim());
    else if (attribute.uri === '' && attribute.local === 'type') typeAttribute = attribute.value;
  }
  const uri = tag.uri === INTERNAL_VIM ? NAMESPACE.vim : tag.uri;
  return { uri, local: tag.local, children: [], text: '', xsiType, isNil, typeAttribute };
}

function resolve(name: string, tag: SaxesTagNS, parser: SaxesParser<{ xmlns: true }>): QualifiedName {
  const [, prefix = '', local = ''] = /^\s*(?:([^\s:]*):)?([^\s:]+)\s*$/.exec(name) ?? [];
  // govmomi writes "xsd:string" without declaring the prefix, and servers have always understood it.
  const uri = tag.ns[prefix] ?? parser.resolve(prefix) ?? (prefix === 'xsd' ? NAMESPACE.xsd : undefined);
  if (local === '' || (uri === undefined && prefix !== '')) {
    throw malformed(`The type "${name.slice(0, 100)}" of element ${tag.local} has no namespace.`);
  }
  return { uri: uri ?? '', local };
}

function decodeText(source: string | Uint8Array): string {
  if (typeof source === 'string') return source;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(source);
  } catch (error) {
    throw malformed('The message is not UTF-8.', error);
  }
}

/** The error for what is not a message at all. */
export function malformed(message: string, cause?: unknown): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'VIM_MALFORMED_MESSAGE', message, cause });
}
