import { expect, test } from 'vitest';
import type { PackageInventory } from '../package-inventory.ts';
import { cycloneDxDocument } from './cyclonedx.ts';
import { spdxDocument } from './spdx.ts';

const inventory: PackageInventory = {
  operatingSystem: { id: 'debian', version: '12', name: 'Debian' },
  packages: [
    { type: 'deb', name: 'libstdc++6', version: '12.2.0-14', architecture: 'amd64', path: 'var/lib/dpkg/status' },
    { type: 'npm', name: '@scope/name', version: '1.0.0', license: 'MIT OR Apache-2.0', path: 'app/package.json' },
    { type: 'maven', name: 'org.x:core', version: '2.0', license: 'see LICENSE file', path: 'app.jar' },
    { type: 'rpm', name: 'openssl', version: '1:3.0.7-24.el9', architecture: 'x86_64', path: 'rpmdb.sqlite' },
  ],
  warnings: [],
};
const subject = {
  name: 'registry.example.com/library/app',
  digest: `sha256:${'a'.repeat(64)}`,
  createdAtMs: Date.parse('2026-01-02T03:04:05Z'),
  tool: { name: 'VIC Scanner', vendor: 'VIC', version: '1.0' },
};

test('spdxDocument() describes the image and every package by purl', () => {
  const document = spdxDocument(inventory, subject) as {
    packages: { SPDXID: string; externalRefs?: { referenceLocator: string }[]; licenseDeclared?: string }[];
    relationships: { relationshipType: string; relatedSpdxElement: string }[];
    creationInfo: { created: string };
  };
  expect(document.creationInfo.created).toBe('2026-01-02T03:04:05Z');
  expect(document.packages.flatMap(({ externalRefs = [] }) => externalRefs.map((ref) => ref.referenceLocator))).toEqual(
    [
      'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?arch=amd64&distro=debian-12',
      'pkg:npm/%40scope/name@1.0.0',
      'pkg:maven/org.x/core@2.0',
      'pkg:rpm/debian/openssl@3.0.7-24.el9?arch=x86_64&distro=debian-12&epoch=1',
    ],
  );
  expect(document.packages.map(({ licenseDeclared }) => licenseDeclared)).toEqual([
    undefined,
    'NOASSERTION',
    'MIT OR Apache-2.0',
    'NOASSERTION',
    'NOASSERTION',
  ]);
  const ids = new Set(document.packages.map(({ SPDXID }) => SPDXID));
  expect(ids.size).toBe(5);
  expect(document.relationships.every(({ relatedSpdxElement }) => ids.has(relatedSpdxElement))).toBe(true);
});

test('cycloneDxDocument() lists the operating system and every package', () => {
  const document = cycloneDxDocument(inventory, subject) as { components: { purl?: string; type: string }[] };
  expect(document.components.map(({ type, purl }) => purl ?? type)).toHaveLength(5);
  expect(document.components[0]).toEqual({ type: 'operating-system', name: 'debian', version: '12' });
});
