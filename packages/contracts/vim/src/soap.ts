import { VicError } from '@vic/errors';
import { decodeElement, decodeMembers, invalidRequest } from './decode.ts';
import { make } from './data-object.ts';
import { encodeArguments, encodeElement, type EncodeOptions } from './encode.ts';
import type { MethodFault, Methods } from './generated/index.ts';
import {
  isManagedSubtype,
  managedTypeMeta,
  methodMeta,
  NEWEST_VERSION,
  type MethodMeta,
  type MethodName,
} from './metadata.ts';
import type { ManagedObjectReference } from './values.ts';
import { VimFault } from './vim-fault.ts';
import { escapeAttribute, escapeText } from './xml-writer.ts';
import {
  malformed,
  NAMESPACE,
  readXml,
  REQUEST_LIMITS,
  RESPONSE_LIMITS,
  type XmlElement,
  type XmlLimits,
} from './xml-reader.ts';

/** The arguments of a method. */
export type MethodArgs<M extends MethodName> = Methods[M]['args'];

/** What a method answers. */
export type MethodResult<M extends MethodName> = Methods[M]['result'];

/** A request as a server sees it; `args` are those of `method`, `MethodArgs<typeof method.name>` by type. */
export interface DecodedRequest {
  readonly method: MethodMeta;
  readonly self: ManagedObjectReference;
  readonly args: Readonly<Record<string, unknown>>;
}

/** How a server decodes requests. */
export interface DecodeRequestOptions {
  /** Strict unless the client speaks a version that the metadata does not know. */
  readonly mode?: 'strict' | 'lenient';
  readonly limits?: XmlLimits;
}

const ENVELOPE_OPEN =
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  `<soapenv:Envelope xmlns:soapenv="${NAMESPACE.soap}" xmlns:xsd="${NAMESPACE.xsd}" xmlns:xsi="${NAMESPACE.xsi}">` +
  '<soapenv:Body>';
const ENVELOPE_CLOSE = '</soapenv:Body></soapenv:Envelope>';

/** Writes the request that calls a method. */
export function encodeRequest<M extends MethodName>(
  name: M,
  self: ManagedObjectReference,
  args: MethodArgs<M>,
  options: EncodeOptions = {},
): string {
  const method = requireMethod(name);
  const receiver = `<_this type="${escapeAttribute(self.type)}">${escapeText(self.value)}</_this>`;
  const body = encodeArguments(method.parameters, args, name, options);
  return `${ENVELOPE_OPEN}<${name} xmlns="${NAMESPACE.vim}">${receiver}${body}</${name}>${ENVELOPE_CLOSE}`;
}

/** Reads a request; throws a {@link VimFault} to answer with when it is not one that the schema allows. */
export function decodeRequest(body: string | Uint8Array, options: DecodeRequestOptions = {}): DecodedRequest {
  const call = asInvalidRequest(() => bodyElement(readXml(body, options.limits ?? REQUEST_LIMITS)));
  const mode = options.mode ?? 'strict';
  const method = methodMeta(call.local);
  if (method === undefined || (mode === 'strict' && call.uri !== NAMESPACE.vim)) {
    throw new VimFault({
      fault: make('MethodNotFound', { receiver: receiverOf(call, mode), method: call.local.slice(0, 100) }),
      message: `There is no method ${call.local.slice(0, 100)}.`,
    });
  }
  const self = receiverOf(call, mode);
  if (managedTypeMeta(self.type) === undefined || !isManagedSubtype(self.type, method.owner)) {
    throw invalidRequest(`${method.name} is not a method of ${self.type.slice(0, 100)}.`);
  }
  const args = decodeMembers(call.children.slice(1), method.parameters, method.name, { mode });
  return { method, self, args };
}

/** Writes the answer to a call. */
export function encodeResponse<M extends MethodName>(
  name: M,
  result: MethodResult<M>,
  options: EncodeOptions = {},
): string {
  const method = requireMethod(name);
  const value = method.result === 'void' ? '' : encodeElement('returnval', method.result, result, options);
  if (value === '' && !method.resultOptional && method.result !== 'void' && !method.result.endsWith('[]')) {
    throw new VicError({ class: 'Internal', code: 'VIM_ENCODE', message: `${name} must have a result.` });
  }
  return `${ENVELOPE_OPEN}<${name}Response xmlns="${NAMESPACE.vim}">${value}</${name}Response>${ENVELOPE_CLOSE}`;
}

/** Writes a fault, to be sent with HTTP status 500; errors that are no {@link VimFault} must be turned into one first. */
export function encodeFault(error: VimFault, options: EncodeOptions = {}): string {
  const type = error.faultType;
  const detail = encodeElement(`${type}Fault`, 'anyType', error.fault, options).replace(
    `<${type}Fault `,
    `<${type}Fault xmlns="${NAMESPACE.vim}" `,
  );
  return (
    `${ENVELOPE_OPEN}<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>${escapeText(error.message)}` +
    `</faultstring><detail>${detail}</detail></soapenv:Fault>${ENVELOPE_CLOSE}`
  );
}

/** Reads the answer to a call; throws the {@link VimFault} that the server answered with. */
export function decodeResponse<M extends MethodName>(
  name: M,
  body: string | Uint8Array,
  limits: XmlLimits = RESPONSE_LIMITS,
): MethodResult<M> {
  const method = requireMethod(name);
  const answer = bodyElement(readXml(body, limits));
  if (answer.local === 'Fault' && answer.uri === NAMESPACE.soap) throw decodeFault(answer, name);
  if (answer.local !== `${name}Response`) throw malformed(`The answer to ${name} is a ${answer.local.slice(0, 100)}.`);
  return decodeResult(method, answer) as MethodResult<M>;
}

/** The `SOAPAction` header of a version. */
export function soapAction(version: string = NEWEST_VERSION): string {
  return `"urn:vim25/${version}"`;
}

/** The version that a `SOAPAction` header names. */
export function versionOfSoapAction(header: string | undefined): string | undefined {
  return /^"?urn:vim25\/([\w.]{1,40})"?$/.exec(header?.trim() ?? '')?.[1];
}

function decodeResult(method: MethodMeta, answer: XmlElement): unknown {
  const values = answer.children.filter((child) => child.local === 'returnval');
  if (method.result.endsWith('[]')) {
    return values.map((value) => decodeElement(value, method.result.slice(0, -2), { mode: 'lenient' }));
  }
  const [value] = values;
  if (method.result === 'void') return undefined;
  if (value !== undefined) return decodeElement(value, method.result, { mode: 'lenient' });
  if (method.resultOptional) return undefined;
  throw malformed(`The answer to ${method.name} has no result.`);
}

function decodeFault(answer: XmlElement, method: string): VimFault {
  const message = answer.children.find((child) => child.local === 'faultstring')?.text ?? '';
  const detail = answer.children.find((child) => child.local === 'detail')?.children[0];
  return VimFault.fromLocalized({ fault: detailFault(detail), localizedMessage: message }, method);
}

/** The fault object; one of a type that is not known becomes a plain `MethodFault`. */
function detailFault(detail: XmlElement | undefined): MethodFault {
  if (detail === undefined) return make('MethodFault', {});
  const named = detail.xsiType ?? { uri: NAMESPACE.vim, local: detail.local.replace(/Fault$/, '') };
  return decodeElement({ ...detail, xsiType: named }, 'MethodFault', { mode: 'lenient' }) as MethodFault;
}

function bodyElement(envelope: XmlElement): XmlElement {
  if (envelope.local !== 'Envelope' || envelope.uri !== NAMESPACE.soap)
    throw malformed('The message is no SOAP envelope.');
  const body = envelope.children.find((child) => child.local === 'Body' && child.uri === NAMESPACE.soap);
  const element = body?.children[0];
  if (element === undefined) throw malformed('The SOAP envelope has no body.');
  return element;
}

function receiverOf(call: XmlElement, mode: 'strict' | 'lenient'): ManagedObjectReference {
  const first = call.children[0];
  if (first?.local !== '_this') throw invalidRequest(`${call.local.slice(0, 100)} does not begin with _this.`);
  return decodeElement(first, '@ManagedObject', { mode }) as ManagedObjectReference;
}

function asInvalidRequest<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof VicError ? invalidRequest(error.message, error) : error;
  }
}

function requireMethod(name: string): MethodMeta {
  const method = methodMeta(name);
  if (method === undefined)
    throw new VicError({ class: 'Internal', code: 'VIM_ENCODE', message: `There is no method ${name}.` });
  return method;
}
