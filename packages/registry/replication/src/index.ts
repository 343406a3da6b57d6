export { Replication } from './replication.ts';
export type { ReplicationDeps, ReplicationOptions } from './replication.ts';
export type { PromotionChecks, PromotionSubject } from './promotion/promotion-gate.ts';
export type { PolicyLag } from './runs/pending-work.ts';
export type { LocalPeerDeps } from './peers/local-peer.ts';
export { ProxyCache } from './proxy/proxy-cache.ts';
export type { ProxyCacheDeps, ProxyCacheOptions } from './proxy/proxy-cache.ts';
export { resealEndpointSecrets } from './endpoints/registry-endpoints.ts';
