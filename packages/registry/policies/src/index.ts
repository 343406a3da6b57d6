export { BREAK_GLASS_HEADER, breaksGlass, withBreakGlass } from './break-glass.ts';
export { Immutability } from './immutability.ts';
export { ImmutabilityGate } from './immutability-gate.ts';
export { immutabilityRoutes } from './immutability-routes.ts';
export { QuotaGate } from './quota-gate.ts';
export type { QuotaGateDeps } from './quota-gate.ts';
export { quotaRoutes } from './quota-routes.ts';
export { Quotas } from './quotas.ts';
export type { Quota, QuotasDeps, StorageUse } from './quotas.ts';
