import { VicError } from '@vic/errors';

/** There is no such artifact. */
export function noSuchArtifact(repository: string, reference: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'ARTIFACT_UNKNOWN',
    message: `artifact ${repository}${reference.includes(':') ? '@' : ':'}${reference.slice(0, 200)} not found`,
  });
}

/** There is no such tag. */
export function noSuchTag(repository: string, name: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'TAG_UNKNOWN',
    message: `tag ${repository}:${name.slice(0, 128)} not found`,
  });
}

/** The project has gone, with everything in it. */
export function noSuchProject(repository: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'PROJECT_UNKNOWN',
    message: `the project of ${repository.slice(0, 255)} does not exist any more`,
  });
}

/** There is no such repository. */
export function noSuchRepository(name: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'REPOSITORY_UNKNOWN',
    message: `repository ${name.slice(0, 255)} not found`,
  });
}
