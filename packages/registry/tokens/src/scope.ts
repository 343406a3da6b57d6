import { VicError } from '@vic/errors';

/** Something a client asks a token for: `repository:library/busybox:pull,push`. */
export interface RequestedScope {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Clients ask for one scope, or two for a mount; a batch tool for some dozens. */
const MAX_SCOPES = 100;

/** Reads `scope` parameters: each may be repeated, and each may hold several scopes separated by spaces. */
export function parseScopes(parameters: readonly string[]): readonly RequestedScope[] {
  const texts = [...new Set(parameters.flatMap((parameter) => parameter.split(' ')).filter((text) => text !== ''))];
  if (texts.length > MAX_SCOPES) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'TOKEN_SCOPES_TOO_MANY',
      message: `a token is for at most ${MAX_SCOPES} scopes`,
    });
  }
  return texts.map(parseScope);
}

/** The name may hold colons: a Notary collection begins with the registry's host and port. */
function parseScope(text: string): RequestedScope {
  const [type = '', ...rest] = text.split(':');
  if (rest.length < 2) return { type, name: rest[0] ?? '', actions: [] };
  const actions = rest.at(-1) ?? '';
  return { type, name: rest.slice(0, -1).join(':'), actions: actions === '' ? [] : actions.split(',') };
}
