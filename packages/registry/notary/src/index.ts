export { resealNotaryKeys } from './metadata-store.ts';
export { Notary } from './notary.ts';
export type { NotaryDeps } from './notary.ts';
export { notaryRoutes } from './notary-routes.ts';
export type { NotaryAccess, NotaryRoutesDeps } from './notary-routes.ts';
export { notaryErrorResponse } from './notary-error.ts';
