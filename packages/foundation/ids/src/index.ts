import { randomBytes, randomUUID } from 'node:crypto';

declare const brand: unique symbol;

/** A string that only the named kind of identifier may be. */
export type Branded<Name extends string> = string & { readonly [brand]: Name };

/** 64 lower-case hexadecimal digits, as Docker's container ids. */
export type ContainerId = Branded<'ContainerId'>;
/** `sha256:` and 64 hexadecimal digits: the digest of an image's configuration. */
export type ImageId = Branded<'ImageId'>;
/** 64 lower-case hexadecimal digits, as Docker's network ids. */
export type NetworkId = Branded<'NetworkId'>;
/** 64 lower-case hexadecimal digits, as Docker's exec ids. */
export type ExecId = Branded<'ExecId'>;

/** A random 64-digit hexadecimal identifier. */
export function randomHexId<T extends Branded<string>>(): T {
  return randomBytes(32).toString('hex') as T;
}

/** A random UUID in the canonical lower-case form. */
export function randomUuid(): string {
  return randomUUID();
}

/** The first twelve digits of an identifier, as Docker prints it. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
