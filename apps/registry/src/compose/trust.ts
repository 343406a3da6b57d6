import { Notary } from '@vic/notary';
import type { RepositoryStore } from '@vic/repositories';
import { StoredSignatures, TrustGate, TrustPolicies, TrustVerifier } from '@vic/trust';
import type { RegistryConfiguration } from '../configuration.ts';
import type { Storage } from '../storage.ts';
import type { Management } from './management.ts';

/** Signatures, what projects trust, and the gate that reads them. */
export interface Trust {
  readonly policies: TrustPolicies;
  readonly verifier: TrustVerifier;
  readonly gate: TrustGate;
  readonly notary: Notary;
}

/** Composes trust; the store's gates have this one among them, so the store comes as a function. */
export function composeTrust(
  configuration: RegistryConfiguration,
  { database, blobs, secrets }: Storage,
  parts: {
    readonly projects: Management['projects'];
    readonly authorizer: Management['authorizer'];
    readonly store: () => Pick<RepositoryStore, 'getManifest' | 'listReferrers'>;
  },
): Trust {
  const now = Date.now;
  const notary = new Notary({ database, secrets, now });
  const { host } = new URL(configuration.externalUrl);
  const policies = new TrustPolicies({ database, now });
  const verifier = new TrustVerifier({
    database,
    signatures: new StoredSignatures({
      store: {
        getManifest: async (repository, reference) => parts.store().getManifest(repository, reference),
        listReferrers: async (repository, subject, type) => parts.store().listReferrers(repository, subject, type),
      },
      blobs,
    }),
    // Clients name a collection as they name the repository, the registry's host included.
    collections: {
      isTarget: async (repository, digest) => notary.isTarget(`${host}/${repository}`, digest.replace(/^sha256:/, '')),
    },
    now,
  });
  const gate = new TrustGate({
    policies,
    verifier,
    authorizer: parts.authorizer,
    metadataOf: async (projectId) => (await parts.projects.findById(projectId))?.metadata ?? {},
  });
  return { policies, verifier, gate, notary };
}
