import packet from 'dns-packet';
import type { Answer, Packet, Question } from 'dns-packet';
import type { NameTable } from './name-table.ts';

/** Clients may keep an answer this long: short, since a container that is made anew has a new address. */
const TTL_SECONDS = 60;

/** Response codes of RFC 1035 4.1.1. */
const RCODE = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4 } as const;

/** Largest answer we say we take by UDP (RFC 6891). */
const UDP_PAYLOAD_BYTES = 4096;

/** No honest query is longer. */
export const MAX_QUERY_BYTES = 4096;

/** What is to be done with a message: answer it, ask an upstream server, or drop it because it is no query. */
export type DnsDecision =
  | { readonly kind: 'answer'; readonly response: Buffer }
  | { readonly kind: 'forward' }
  | { readonly kind: 'drop' };

/** Decides about one message from a container: hostile bytes give a format error, names of containers an answer. */
export function decideDns(message: Buffer, names: NameTable, isOurs: (address: string) => boolean): DnsDecision {
  // Shorter than a header there is no id to answer with; a response is never answered (reflection loops).
  if (message.length < 12 || (message[2] ?? 0) >= 0x80) return { kind: 'drop' };
  const query = message.length > MAX_QUERY_BYTES ? undefined : decode(message);
  const question = query?.questions?.[0];
  if (query === undefined || question === undefined || query.questions?.length !== 1) {
    return { kind: 'answer', response: bareResponse(message, RCODE.formatError) };
  }
  if (((message[2] ?? 0) & 0x78) !== 0) {
    return { kind: 'answer', response: bareResponse(message, RCODE.notImplemented) };
  }
  return decideQuestion(query, question, names, isOurs);
}

/** The answer to a query that could not be resolved. */
export function serverFailure(message: Buffer): Buffer {
  const query = decode(message);
  return query === undefined ? bareResponse(message, RCODE.serverFailure) : respond(query, RCODE.serverFailure, []);
}

/** Whether `response` is an answer to the very `query`: same id, same question, no query itself. */
export function answersQuery(response: Buffer, query: Buffer): boolean {
  if (response.length < 12 || (response[2] ?? 0) < 0x80 || response.readUInt16BE(0) !== query.readUInt16BE(0))
    return false;
  const asked = decode(query)?.questions?.[0];
  const answered = decode(response)?.questions?.[0];
  if (asked === undefined || answered === undefined) return false;
  return asked.type === answered.type && asked.name.toLowerCase() === answered.name.toLowerCase();
}

function decideQuestion(
  query: Packet,
  question: Question,
  names: NameTable,
  isOurs: (address: string) => boolean,
): DnsDecision {
  const name = question.name.replace(/\.$/, '');
  if (question.type === 'PTR') {
    const address = reversed(name);
    if (address === undefined || !isOurs(address)) return { kind: 'forward' };
    const found = names.nameOf(address);
    if (found === undefined) return { kind: 'answer', response: respond(query, RCODE.noSuchName, []) };
    const answer: Answer = { type: 'PTR', name: question.name, ttl: TTL_SECONDS, data: found };
    return { kind: 'answer', response: respond(query, RCODE.ok, [answer]) };
  }
  const addresses = names.addressesOf(name);
  if (addresses.length === 0) return { kind: 'forward' };
  const wanted = question.type === 'A' ? addresses : [];
  const answers = wanted.map((data): Answer => ({ type: 'A', name: question.name, ttl: TTL_SECONDS, data }));
  return { kind: 'answer', response: respond(query, RCODE.ok, answers) };
}

/** The address in a name such as `2.0.16.172.in-addr.arpa`. */
function reversed(name: string): string | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/i.exec(name);
  return match === null ? undefined : match.slice(1).toReversed().join('.');
}

function respond(query: Packet, rcode: number, answers: Answer[]): Buffer {
  const wantsRecursion = (query.flags ?? 0) & packet.RECURSION_DESIRED;
  const hasEdns = query.additionals?.some((record) => record.type === 'OPT') ?? false;
  return packet.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: packet.AUTHORITATIVE_ANSWER | packet.RECURSION_AVAILABLE | wantsRecursion | rcode,
    questions: query.questions ?? [],
    answers,
    ...(hasEdns ? { additionals: [edns()] } : {}),
  });
}

function edns(): Answer {
  return {
    type: 'OPT',
    name: '.',
    udpPayloadSize: UDP_PAYLOAD_BYTES,
    flags: 0,
    extendedRcode: 0,
    ednsVersion: 0,
    flag_do: false,
    options: [],
  };
}

/** A header alone, for messages whose question cannot be repeated. */
function bareResponse(message: Buffer, rcode: number): Buffer {
  const header = Buffer.alloc(12);
  message.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8080 | rcode, 2);
  return header;
}

function decode(message: Buffer): Packet | undefined {
  try {
    return packet.decode(message);
  } catch {
    return undefined;
  }
}
