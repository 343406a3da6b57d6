export { AccessChallenge } from './distribution-access.ts';
export type { Access, AccessRequest, DistributionAccess, WantedAccess } from './distribution-access.ts';
export type { Upstream, UpstreamBlob, UpstreamManifest, UpstreamPlace } from './upstream.ts';
export { registerDistribution } from './distribution-routes.ts';
export type { DistributionOptions } from './distribution-options.ts';
