import { VicError } from '@vic/errors';
import type { HttpRequest } from '@vic/http';
import { harborFields } from './harbor-fields.ts';

interface BodySchema {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly additionalProperties?: unknown;
  readonly anyOf?: readonly BodySchema[];
}

const MAX_SHOWN = 64;

/**
 * Refuses a body with a field that nothing reads: mistyped or unsupported, it would be ignored without a word.
 *
 * Bodies without a schema, or that take any name, are for their handlers to check.
 */
export class UnknownFields {
  readonly #prefix: string;
  readonly #known = new WeakMap<object, readonly string[] | undefined>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  check({ body, routeOptions }: HttpRequest): void {
    const schema = routeOptions.schema?.body as BodySchema | undefined;
    if (schema === undefined || typeof body !== 'object' || body === null || Array.isArray(body)) return;
    if (!this.#known.has(schema)) this.#known.set(schema, fieldsOf(schema));
    const known = this.#known.get(schema);
    if (known === undefined) return;
    const accepted = harborFields(routeOptions.url ?? '', this.#prefix);
    const unknown = Object.keys(body).find((name) => !known.includes(name) && !accepted.includes(name));
    if (unknown === undefined) return;
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REST_UNKNOWN_FIELD',
      message: `the body has an unknown field ${JSON.stringify(unknown.slice(0, MAX_SHOWN))}; its fields are ${known.join(', ')}`,
    });
  }
}

/** `undefined` when any name goes. */
function fieldsOf({ properties, additionalProperties, anyOf }: BodySchema): readonly string[] | undefined {
  const isOpen = additionalProperties !== undefined && additionalProperties !== false;
  if (isOpen) return undefined;
  if (properties !== undefined) return Object.keys(properties);
  const variants = anyOf?.map(fieldsOf).filter((names) => names !== undefined) ?? [];
  return variants.length === 0 ? undefined : [...new Set(variants.flat())];
}
