import type { ProjectIdentity } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { DistributionOptions } from './distribution-options.ts';

/** Whether the project holds copies of another registry's content. */
export async function isProxy(options: DistributionOptions, project: ProjectIdentity): Promise<boolean> {
  return options.upstream !== undefined && (await options.upstream.isProxy(project));
}

/** Refuses a push to a proxy-cache project, in Harbor's words. */
export async function refuseProxy(options: DistributionOptions, project: ProjectIdentity): Promise<void> {
  if (!(await isProxy(options, project))) return;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'PROXY_PUSH_DENIED',
    message: `can not push artifact to a proxy project: ${project.name}`,
  });
}
