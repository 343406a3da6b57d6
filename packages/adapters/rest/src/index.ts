export {
  auditSubject,
  isPermitted,
  principalOf,
  projectOf,
  registerRest,
  requirePermission,
} from './rest-application.ts';
export type { DeclaredRoute, RestOptions, RestRoutes } from './rest-application.ts';
export { basicUserName } from './basic-user-name.ts';
export type { AuditedOperation, Credentials, RestServices } from './rest-services.ts';
export type { ApiInfo } from './api-document.ts';
export { permits } from './route-permission.ts';
export type { RouteAudit, RoutePermission } from './route-permission.ts';
export { parseListQuery, sendPage } from './list-query.ts';
export type { ListFields } from './list-query.ts';
export { restErrorResponse } from './rest-error.ts';
