import { invalid, notServed } from '../http/docker-error.ts';

/** What is done with an option of a create request that was given a value of its own. */
export type OptionRule =
  /** It reaches the port layer, or is kept and shown; the code that does so is named by the table's reader. */
  | { readonly treat: 'honour' }
  /** It changes nothing, which the answer's warnings say. */
  | { readonly treat: 'warn'; readonly sentence: string; readonly isDefault?: (value: unknown) => boolean }
  /** The container would not be what was asked for: 501, or 400 where the value itself makes no sense. */
  | {
      readonly treat: 'refuse';
      readonly sentence: string;
      readonly isDefault?: (value: unknown) => boolean;
      readonly status?: 400;
    };

/** Passed on as it is. */
export const honour: OptionRule = { treat: 'honour' };

/** No effect, and said so. */
export function warn(sentence: string, isDefault?: (value: unknown) => boolean): OptionRule {
  return isDefault === undefined ? { treat: 'warn', sentence } : { treat: 'warn', sentence, isDefault };
}

/** Not to be had. */
export function refuse(sentence: string, isDefault?: (value: unknown) => boolean): OptionRule {
  return isDefault === undefined ? { treat: 'refuse', sentence } : { treat: 'refuse', sentence, isDefault };
}

/** Not a value this engine knows. */
export function refuseAsInvalid(sentence: string, isDefault: (value: unknown) => boolean): OptionRule {
  return { treat: 'refuse', sentence, isDefault, status: 400 };
}

/** Values that mean the same as none. */
export function oneOf(...values: readonly unknown[]): (value: unknown) => boolean {
  return (value) => values.includes(value);
}

/**
 * Applies a table to the options given: throws for the first refused one, returns the warnings of the rest.
 *
 * An option that is in no table is one this engine has never heard of, and is warned about by name.
 */
export function applyRules(
  given: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, OptionRule>>,
  prefix = '',
): string[] {
  const warnings: string[] = [];
  for (const [option, value] of Object.entries(given)) {
    if (isZero(value)) continue;
    const rule = Object.hasOwn(rules, option) ? rules[option] : undefined;
    const name = `${prefix}${option}`;
    if (rule === undefined) warnings.push(`${name.slice(0, 100)} is not an option VIC knows; it was ignored.`);
    else if (rule.treat !== 'honour' && rule.isDefault?.(value) !== true) {
      if (rule.treat === 'warn') warnings.push(`${name}: ${rule.sentence}`);
      else throw refusal(rule, name);
    }
  }
  return warnings;
}

function refusal(rule: OptionRule & { readonly treat: 'refuse' }, name: string): Error {
  return rule.status === 400 ? invalid(`${name}: ${rule.sentence}`) : notServed(name, rule.sentence);
}

/** Go's zero values, which clients send for options their user never touched. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return true;
  if (Array.isArray(value)) return value.every((item) => item === 0);
  return typeof value === 'object' && Object.keys(value).length === 0;
}
