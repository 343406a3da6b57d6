/** Whether a certificate's subject (`C=US\nO=Example`) has every part of a name such as `O=Example, CN=Release`. */
export function hasDistinguishedName(subject: string, wanted: string): boolean {
  const parts = new Set(subject.split('\n').map((part) => part.trim()));
  return splitName(wanted).every((part) => parts.has(part));
}

/** Commas separate, unless a backslash comes before. */
function splitName(name: string): readonly string[] {
  return name
    .replace(/^x509\.subject:\s*/, '')
    .split(/(?<!\\),/)
    .map((part) =>
      part
        .replaceAll('\\,', ',')
        .trim()
        .replace(/\s*=\s*/, '=')
        .replace(/^S=|^s=/, 'ST='),
    )
    .filter((part) => part !== '');
}
