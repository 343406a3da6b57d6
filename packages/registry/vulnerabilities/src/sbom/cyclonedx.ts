import type { PackageInventory } from '../package-inventory.ts';
import { packageUrl } from './package-url.ts';
import type { SbomSubject } from './sbom-subject.ts';

/** The inventory as a CycloneDX 1.6 document. */
export function cycloneDxDocument(
  inventory: PackageInventory,
  subject: SbomSubject,
): Readonly<Record<string, unknown>> {
  const { operatingSystem } = inventory;
  const { tool } = subject;
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(subject.createdAtMs).toISOString(),
      tools: {
        components: [
          { type: 'application', name: tool.name, version: tool.version, manufacturer: { name: tool.vendor } },
        ],
      },
      component: {
        'bom-ref': subject.digest,
        type: 'container',
        name: subject.name,
        version: subject.digest,
      },
    },
    components: [
      ...(operatingSystem === undefined
        ? []
        : [{ type: 'operating-system', name: operatingSystem.id, version: operatingSystem.version }]),
      ...inventory.packages.map((installed) => {
        const purl = packageUrl(installed, operatingSystem);
        return {
          'bom-ref': purl,
          type: 'library',
          name: installed.name,
          version: installed.version,
          ...(installed.license === undefined ? {} : { licenses: [{ license: { name: installed.license } }] }),
          purl,
          properties: [{ name: 'vic:path', value: `/${installed.path}` }],
        };
      }),
    ],
  };
}
