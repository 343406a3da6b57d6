import type { InstalledPackage, OperatingSystem } from '../package-inventory.ts';

/** The package URL (purl) of a package: what SBOM formats name packages by. */
export function packageUrl(installed: InstalledPackage, system: OperatingSystem | undefined): string {
  const { type, name, version, architecture } = installed;
  const isSystem = type === 'deb' || type === 'apk' || type === 'rpm';
  const qualifiers = new URLSearchParams();
  if (isSystem && architecture !== undefined && architecture !== '') qualifiers.set('arch', architecture);
  if (isSystem && system !== undefined) qualifiers.set('distro', `${system.id}-${system.version}`);
  const [epoch, rest] = type === 'rpm' && version.includes(':') ? split(version, ':') : ['', version];
  if (epoch !== '') qualifiers.set('epoch', epoch);
  const path = type === 'maven' ? name.replace(':', '/') : name;
  const namespace = isSystem && system !== undefined ? `${encodeURIComponent(system.id)}/` : '';
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  const query = qualifiers.size === 0 ? '' : `?${qualifiers.toString()}`;
  return `pkg:${type}/${namespace}${encoded}@${encodeURIComponent(rest)}${query}`;
}

function split(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + 1)];
}
