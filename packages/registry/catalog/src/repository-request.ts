import { VicError } from '@vic/errors';
import type { HttpRequest } from '@vic/http';
import { BREAK_GLASS_HEADER, withBreakGlass } from '@vic/policies';
import type { Actor, RepositoryPlace } from '@vic/repositories';
import { principalOf, projectOf } from '@vic/rest';

/** The path of repositories in their project. */
export const REPOSITORIES = '/projects/:project_name/repositories';

/** The path of one repository; `/` in its name is encoded twice. */
export const REPOSITORY = `${REPOSITORIES}/:repository_name`;

/** The path of one artifact, by digest or tag. */
export const ARTIFACT = `${REPOSITORY}/artifacts/:reference`;

/** The repository that the path of a request names. */
export function placeOf(request: HttpRequest): RepositoryPlace {
  const project = projectOf(request);
  const encoded = (request.params as Readonly<Record<string, string>>)['repository_name'] ?? '';
  try {
    return { project, repository: `${project.name}/${decodeURIComponent(encoded)}` };
  } catch (cause) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REPOSITORY_NAME_ENCODING',
      message: `${encoded.slice(0, 255)} is not an encoded name of a repository`,
      cause,
    });
  }
}

/** The tag or digest that the path of a request names. */
export function referenceOf(request: HttpRequest): string {
  return (request.params as Readonly<Record<string, string>>)['reference'] ?? '';
}

/** Who makes a request. */
export function actorOf(request: HttpRequest): Actor {
  const userAgent = request.headers['user-agent'];
  const actor = {
    principal: principalOf(request),
    address: request.ip,
    ...(userAgent === undefined ? {} : { userAgent }),
  };
  return withBreakGlass(actor, request);
}

/** What an audit record says of a deletion in spite of immutability; empty for others. */
export function breakGlassNote(request: HttpRequest): string {
  const reason = request.headers[BREAK_GLASS_HEADER];
  return reason === undefined ? '' : ` (break-glass: ${String(reason).slice(0, 500)})`;
}

/** The answer to what names a repository that is not there. */
export function repositoryNotFound(name: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'REPOSITORY_NOT_FOUND',
    message: `repository ${name} not found`,
  });
}

/** The answer to what names an artifact that is not there. */
export function artifactNotFound(repository: string, reference: string): VicError {
  const separator = reference.includes(':') ? '@' : ':';
  return new VicError({
    class: 'NotFound',
    code: 'ARTIFACT_NOT_FOUND',
    message: `artifact ${repository}${separator}${reference.slice(0, 200)} not found`,
  });
}
