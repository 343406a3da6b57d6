import { VicError } from '@vic/errors';
import { Filter, FilterParser } from 'ldapts';

const ATTRIBUTE = /^[A-Za-z][A-Za-z0-9;-]{0,127}$/;

/** A distinguished name in the one form in which equal names are equal texts. */
export function normalizeDn(dn: string): string {
  return dn
    .split(/(?<!\\),/)
    .map((part) => part.trim().replace(/\s*=\s*/, '='))
    .join(',')
    .toLowerCase();
}

/** Whether the name is that of the base, or of an entry below it. */
export function isUnder(dn: string, baseDn: string): boolean {
  const name = normalizeDn(dn);
  const base = normalizeDn(baseDn);
  return name === base || base === '' || name.endsWith(`,${base}`);
}

/** The conjunction of filters, empty ones left out; what is not a filter is refused. */
export function allOf(...filters: readonly string[]): string {
  const parts = filters.map((filter) => filter.trim()).filter((filter) => filter !== '');
  if (parts.length === 0) return '(objectClass=*)';
  return checked(parts.length === 1 ? bracketed(parts[0] ?? '') : `(&${parts.map(bracketed).join('')})`);
}

/** The disjunction of filters. */
export function anyOf(filters: readonly string[]): string {
  return checked(`(|${filters.map(bracketed).join('')})`);
}

/** `(attribute=value)` with the value escaped, so that it can be nothing but a value. */
export function equals(attribute: string, value: string): string {
  return `(${attributeName(attribute)}=${Filter.escape(value)})`;
}

/** `(attribute=*value*)`; every entry that has the attribute when the value is empty. */
export function contains(attribute: string, value: string): string {
  return `(${attributeName(attribute)}=${value === '' ? '*' : `*${Filter.escape(value)}*`})`;
}

/** An attribute's name, which comes from the configuration and goes into filters. */
export function attributeName(name: string): string {
  if (ATTRIBUTE.test(name)) return name;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'LDAP_ATTRIBUTE_INVALID',
    message: `"${name.slice(0, 100)}" is not the name of an LDAP attribute.`,
  });
}

function bracketed(filter: string): string {
  return filter.startsWith('(') ? filter : `(${filter})`;
}

function checked(filter: string): string {
  try {
    // The parser forgives brackets that are not closed; the server would not.
    if (!isBalanced(filter)) throw new Error('the brackets do not match');
    FilterParser.parseString(filter);
    return filter;
  } catch (cause) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'LDAP_FILTER_INVALID',
      message: `invalid LDAP filter: ${filter.slice(0, 500)}`,
      remedy: 'Write it as in RFC 4515, for example (objectClass=person).',
      cause,
    });
  }
}

/** Brackets that are part of a value are escaped as `\28` and `\29`. */
function isBalanced(filter: string): boolean {
  let depth = 0;
  for (const character of filter) {
    if (character === '(') depth++;
    if (character === ')' && --depth < 0) return false;
  }
  return depth === 0;
}
