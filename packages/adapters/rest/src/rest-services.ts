import type { Authorizer, Principal, ProjectIdentity } from '@vic/authz';
import type { RouteAudit } from './route-permission.ts';

/** What authentication looks at. */
export interface Credentials {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  /** `X-Harbor-CSRF-Token`; needed with a cookie when the method changes something. */
  readonly csrfToken: string | undefined;
  /** The address of the client, for brute-force protection. */
  readonly address: string;
}

/** One operation as the audit log records it. */
export interface AuditedOperation extends RouteAudit {
  readonly principal: Principal;
  /** The name given with {@link auditSubject}, or the path. */
  readonly resource: string;
  readonly project: ProjectIdentity | undefined;
  readonly succeeded: boolean;
  readonly address: string;
  readonly method: string;
  readonly path: string;
}

/** What the REST API needs from the rest of the program. */
export interface RestServices {
  /** Gives {@link ANONYMOUS} without credentials; throws `Unauthenticated` for wrong ones. */
  authenticate(credentials: Credentials): Promise<Principal>;
  readonly authorizer: Authorizer;
  /** `name` and `id` are both tried unless `isName` says that it is a name. */
  findProject(nameOrId: string, isName: boolean): Promise<ProjectIdentity | undefined>;
  /** Whether changes are refused at present; routes of `configuration` stay open. */
  isReadOnly(): Promise<boolean>;
  record(operation: AuditedOperation): Promise<void>;
}
