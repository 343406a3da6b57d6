import type { ScannerMetadata } from '../scanners/scanner-metadata.ts';
import type { ScannerRegistration } from '../scanners/scanner-registration.ts';

/** A registration in Harbor's form; never with its credential. */
export function registrationBody(
  registration: ScannerRegistration,
  metadata?: ScannerMetadata,
): Readonly<Record<string, unknown>> {
  return {
    uuid: registration.uuid,
    name: registration.name,
    description: registration.description,
    url: registration.url,
    disabled: registration.disabled,
    is_default: registration.isDefault,
    auth: registration.auth,
    skip_certVerify: registration.skipCertVerify,
    use_internal_addr: registration.useInternalAddress,
    create_time: new Date(registration.createdAtMs).toISOString(),
    update_time: new Date(registration.updatedAtMs).toISOString(),
    ...(metadata === undefined
      ? {}
      : {
          adapter: metadata.scanner.name,
          vendor: metadata.scanner.vendor,
          version: metadata.scanner.version,
          health: 'healthy',
          capabilities: capabilitiesBody(metadata),
        }),
  };
}

/** What a scanner says about itself in Harbor's form. */
export function metadataBody({
  scanner,
  capabilities,
  properties,
}: ScannerMetadata): Readonly<Record<string, unknown>> {
  return {
    scanner,
    capabilities: capabilities.map(({ type, consumes, produces }) => ({
      type,
      consumes_mime_types: consumes,
      produces_mime_types: produces,
    })),
    properties,
  };
}

function capabilitiesBody({ capabilities }: ScannerMetadata): Readonly<Record<string, boolean>> {
  return {
    support_vulnerability: capabilities.some(({ type }) => type === 'vulnerability'),
    support_sbom: capabilities.some(({ type }) => type === 'sbom'),
  };
}
