import { VicError } from '@vic/errors';

/** The name of a repository is not one. */
export function invalidName(name: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'DISTRIBUTION_NAME_INVALID',
    message: `invalid repository name: ${JSON.stringify(name.slice(0, 255))}`,
  });
}

/** A digest is malformed or of an algorithm that is not supported. */
export function invalidDigest(text: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'DISTRIBUTION_DIGEST_INVALID',
    message: `${JSON.stringify(text.slice(0, 200))} is not a sha256 or sha512 digest`,
  });
}

/** There is no project that the repository could be in. */
export function unknownProject(name: string, isPush: boolean): VicError {
  const at = name.indexOf('/');
  const project = name.slice(0, Math.max(at, 0)).slice(0, 255);
  const why = at === -1 ? 'it is in no project, as project/name is' : `the project ${project} does not exist`;
  return new VicError({
    class: 'NotFound',
    code: 'DISTRIBUTION_NAME_UNKNOWN',
    message: `repository name not known to registry: ${name.slice(0, 255)}: ${why}${isPush ? ', and a push does not make one' : ''}`,
  });
}

/** There is no such repository. */
export function unknownName(name: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'DISTRIBUTION_NAME_UNKNOWN',
    message: `repository name not known to registry: ${name.slice(0, 255)}`,
  });
}

/** The repository has no such blob. */
export function unknownBlob(digest: string): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'BLOB_UNKNOWN',
    message: `blob unknown to registry: ${digest}`,
  });
}

/** The repository has no such manifest. */
export function unknownManifest(reference: string, reason = ''): VicError {
  return new VicError({
    class: 'NotFound',
    code: 'DISTRIBUTION_MANIFEST_UNKNOWN',
    message: `manifest unknown to registry: ${reference.slice(0, 200)}${reason === '' ? '' : ` (${reason})`}`,
  });
}

/** What was announced of an upload is not what came. */
export function invalidUpload(reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'DISTRIBUTION_UPLOAD_INVALID',
    message: `blob upload invalid: ${reason}`,
  });
}

/** A length that does not fit the range it comes with. */
export function invalidSize(reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'DISTRIBUTION_SIZE_INVALID',
    message: `provided length did not match content length: ${reason}`,
  });
}

/** The method is not one of the resource. */
export function unsupported(what: string): VicError {
  return new VicError({
    class: 'NotSupported',
    code: 'DISTRIBUTION_METHOD_UNSUPPORTED',
    message: `the operation is unsupported: ${what.slice(0, 300)}`,
  });
}

/** A list was asked for with parameters that make no sense. */
export function invalidPage(reason: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'DISTRIBUTION_PAGE_INVALID',
    message: `invalid number of results requested: ${reason}`,
  });
}

/** The registry is read-only at present; the text is Harbor's. */
export function readOnly(): VicError {
  return new VicError({
    class: 'PermissionDenied',
    code: 'READ_ONLY_DENIED',
    message: 'The system is in read only mode. Any modification is prohibited.',
  });
}
