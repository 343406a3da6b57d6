/**
 * Maps `items` with at most `limit` operations under way, keeping the order of results.
 *
 * The first failure stops new operations from starting and is thrown once those under way have settled.
 */
export async function mapLimit<T, R>(
  items: Iterable<T>,
  limit: number,
  operation: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const queue = [...items].entries();
  const results: R[] = [];
  let failure: { readonly error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) {
      if (failure !== undefined) return;
      try {
        results[index] = await operation(item, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, worker));
  if (failure !== undefined) throw failure.error;
  return results;
}
