import { VicError } from '@vic/errors';

/** Something the user asked for that cannot be; `remedy` names the option to change. */
export function invalidOption(message: string, remedy?: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'VCH_OPTION_INVALID',
    message,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** A name that was looked up in the inventory in vain, with the names there are. */
export function notFound(what: string, name: string, candidates: readonly string[], option: string): VicError {
  const suggestions = candidates.slice(0, MAX_SUGGESTIONS).map((candidate) => `"${candidate}"`);
  return new VicError({
    class: 'NotFound',
    code: 'VCH_NOT_FOUND',
    message: `There is no ${what} "${name}".`,
    remedy:
      suggestions.length === 0
        ? `The server has no ${what} at all.`
        : `Suggested values for ${option}: ${suggestions.join(', ')}`,
  });
}

/** More would not be read. */
const MAX_SUGGESTIONS = 10;
