import { VicError } from '@vic/errors';

/**
 * The name of a repository at the destination.
 *
 * For `a/b/c/image` and the namespace `n`: count −1 gives `n/image`, 0 `n/a/b/c/image`, 1 `n/b/c/image`.
 */
export function destinationName(repository: string, namespace: string, replaceCount: number): string {
  if (namespace === '') return repository;
  const components = repository.split('/');
  const directories = components.slice(0, -1);
  const image = components.at(-1) ?? repository;
  if (replaceCount > directories.length) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'REPLICATION_NAMESPACE',
      message: `the source repository "${repository}" contains only ${directories.length} path components excepting the last one, but the destination namespace flattening level is ${replaceCount}`,
    });
  }
  const kept = replaceCount < 0 ? [] : directories.slice(replaceCount);
  return [namespace, ...kept, image].join('/');
}
