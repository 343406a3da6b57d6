import { VicError } from '@vic/errors';

/** What a scan is for. */
export type ScanType = 'vulnerability' | 'sbom';

/** Media types of the pluggable scanner API (1.0 to 1.2). */
export const MIME = {
  nativeReport: 'application/vnd.scanner.adapter.vuln.report.harbor+json; version=1.0',
  report: 'application/vnd.security.vulnerability.report; version=1.1',
  rawReport: 'application/vnd.scanner.adapter.vuln.report.raw',
  sbomReport: 'application/vnd.security.sbom.report+json; version=1.0',
  metadata: 'application/vnd.scanner.adapter.metadata+json; version=1.0',
  scanRequest: 'application/vnd.scanner.adapter.scan.request+json; version=1.0',
  scanResponse: 'application/vnd.scanner.adapter.scan.response+json; version=1.0',
} as const;

/** One thing a scanner can do. */
export interface ScannerCapability {
  readonly type: ScanType;
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
}

/** Who a scanner is. */
export interface ScannerIdentity {
  readonly name: string;
  readonly vendor: string;
  readonly version: string;
}

/** What a scanner says about itself. */
export interface ScannerMetadata {
  readonly scanner: ScannerIdentity;
  readonly capabilities: readonly ScannerCapability[];
  readonly properties: Readonly<Record<string, string>>;
}

const IMAGE_MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
] as const;
const MAX_ITEMS = 100;

/** The built-in scanner's own metadata; the properties tell how much it knows. */
export function builtInMetadata(properties: Readonly<Record<string, string>>): ScannerMetadata {
  return {
    scanner: { name: 'VIC Scanner', vendor: 'VIC', version: '1.0' },
    capabilities: [
      { type: 'vulnerability', consumes: IMAGE_MANIFESTS, produces: [MIME.nativeReport, MIME.report] },
      { type: 'sbom', consumes: IMAGE_MANIFESTS, produces: [MIME.sbomReport] },
    ],
    properties: {
      'harbor.scanner-adapter/scanner-type': 'os-package-vulnerability',
      'harbor.scanner-adapter/registry-authorization-type': 'Basic',
      ...properties,
    },
  };
}

/** Reads an adapter's answer to `GET /metadata`; what no scan could work with is refused. */
export function parseMetadata(json: unknown): ScannerMetadata {
  const root = objectOf(json);
  const scanner = objectOf(root['scanner']);
  const identity = { name: text(scanner['name']), vendor: text(scanner['vendor']), version: text(scanner['version']) };
  if (identity.name === '' || identity.vendor === '' || identity.version === '') {
    throw invalid('invalid scanner in metadata');
  }
  const capabilities = list(root['capabilities']).map((value): ScannerCapability => {
    const capability = objectOf(value);
    const [consumes, produces] = [texts(capability['consumes_mime_types']), texts(capability['produces_mime_types'])];
    if (!consumes.includes(IMAGE_MANIFESTS[1])) throw invalid(`missing ${IMAGE_MANIFESTS[1]} in consumes_mime_types`);
    if (!produces.some((type) => type === MIME.nativeReport || type === MIME.report || type === MIME.sbomReport)) {
      throw invalid(`missing ${MIME.nativeReport} or ${MIME.report} in produces_mime_types`);
    }
    return { type: capability['type'] === 'sbom' ? 'sbom' : 'vulnerability', consumes, produces };
  });
  if (capabilities.length === 0) throw invalid('invalid capabilities in metadata');
  const properties = Object.entries(objectOf(root['properties'])).slice(0, MAX_ITEMS);
  return {
    scanner: identity,
    capabilities,
    properties: Object.fromEntries(properties.map(([key, value]) => [key, text(value)])),
  };
}

/** What the scanner makes of such a manifest for that purpose; `undefined` when it cannot. */
export function capabilityFor(
  metadata: ScannerMetadata,
  type: ScanType,
  manifestMediaType: string,
): ScannerCapability | undefined {
  return metadata.capabilities.find(
    (capability) => capability.type === type && capability.consumes.includes(manifestMediaType),
  );
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, MAX_ITEMS) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 256) : '';
}

function texts(value: unknown): readonly string[] {
  return list(value).map(text);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'Unavailable', code: 'SCANNER_METADATA', message });
}
