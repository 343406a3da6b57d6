/** One value in the distinguished encoding of ASN.1 (X.690). */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

/** A SEQUENCE. */
export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(0x30, ...parts);
}

/** A SET of what is already in order. */
export function set(...parts: readonly Uint8Array[]): Buffer {
  return der(0x31, ...parts);
}

/** An OBJECT IDENTIFIER. */
export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A positive INTEGER out of its bytes. */
export function integer(...bytes: readonly number[]): Buffer {
  return der(0x02, Buffer.from((bytes[0] ?? 0) > 0x7f ? [0, ...bytes] : bytes));
}

/** A BOOLEAN that is true. */
export function yes(): Buffer {
  return der(0x01, Buffer.from([0xff]));
}

/** A UTF8String. */
export function utf8(text: string): Buffer {
  return der(0x0c, Buffer.from(text));
}

/** An OCTET STRING. */
export function octets(bytes: Uint8Array): Buffer {
  return der(0x04, bytes);
}

/** A BIT STRING of whole bytes. */
export function bits(bytes: Uint8Array): Buffer {
  return der(0x03, Buffer.from([0]), bytes);
}

/** A GeneralizedTime, in seconds. */
export function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/\.\d+|[^\dZ]/g, '');
  return der(0x18, Buffer.from(digits));
}

/** A UTCTime, which certificates have to use until 2049 (RFC 5280, 4.1.2.5). */
export function shortTime(atMs: number): Buffer {
  return der(0x17, time(atMs).subarray(4));
}

function lengthOf(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const bytes = length > 0xffff ? [length >> 16, (length >> 8) & 0xff] : length > 0xff ? [length >> 8] : [];
  return [0x80 + bytes.length + 1, ...bytes, length & 0xff];
}

function base128(value: number): readonly number[] {
  const groups = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) groups.unshift((rest & 0x7f) | 0x80);
  return groups;
}
