import { describeError, isVicError } from '@vic/errors';
import { isContentDigest, parseRegistryManifest } from '@vic/oci';
import type { ContentDigest } from '@vic/oci';
import type { ArtifactFilter } from '../policies/artifact-filter.ts';
import type { SentTags } from '../runs/sent-tags.ts';
import { ArtifactCopier, isAccessoryTag } from './copy-artifact.ts';
import type { TransferRoute, TransferTotals } from './copy-artifact.ts';

/** What became of one tag or digest. */
export type UnitOutcome =
  | { readonly kind: 'copied' | 'present' | 'filtered' | 'gone' }
  /** The destination's own, later version stays. */
  | { readonly kind: 'newer' }
  /** Another artifact has the tag there, and the policy does not override. */
  | { readonly kind: 'conflict' }
  /** The promotion gate does not let it pass yet. */
  | { readonly kind: 'held'; readonly reason: string }
  | { readonly kind: 'failed'; readonly error: unknown };

/** One tag or digest and what became of it. */
export interface UnitResult {
  readonly reference: string;
  readonly outcome: UnitOutcome;
}

/** The promotion gate of a policy; `undefined` lets the artifact pass, a text says why not. */
export type HoldReason = (repository: string, digest: ContentDigest) => Promise<string | undefined>;

/** How a repository is reconciled. */
export interface Reconciliation extends TransferRoute {
  readonly filter: ArtifactFilter;
  readonly override: boolean;
  /** Both registries copy to each other: the later writer of a tag wins. */
  readonly laterWins: boolean;
  readonly holdReason?: HoldReason | undefined;
  /** What was brought to the destination's tags before. */
  readonly sent: SentTags;
}

/** What a reconciliation did. */
export interface ReconciliationReport extends TransferTotals {
  readonly results: readonly UnitResult[];
}

/**
 * Brings the destination up to date with the tags and digests given, or with the whole repository without any:
 * digests are compared, what differs is copied, what fails does not stop the rest.
 */
export async function reconcileRepository(
  run: Reconciliation,
  references?: readonly string[],
): Promise<ReconciliationReport> {
  const copier = new ArtifactCopier(run);
  const results: UnitResult[] = [];
  let unreachable: UnitOutcome | undefined;
  for await (const unit of references === undefined ? unitsOf(run) : given(references)) {
    run.signal.throwIfAborted();
    // A registry that cannot be reached fails everything that follows just the same.
    const outcome = unreachable ?? (await reconcileUnit(run, copier, unit));
    results.push({ reference: unit.reference, outcome });
    if (unreachable === undefined) tell(run, unit.reference, outcome);
    if (outcome.kind === 'failed' && isVicError(outcome.error, { class: 'Unavailable' })) unreachable = outcome;
  }
  return { ...copier.totals, results };
}

interface Unit {
  readonly reference: string;
  readonly digest?: ContentDigest;
  readonly labels?: readonly string[];
}

async function* given(references: readonly string[]): AsyncGenerator<Unit, void, undefined> {
  for (const reference of references) yield { reference };
}

async function* unitsOf(run: Reconciliation): AsyncGenerator<Unit, void, undefined> {
  const { source, sourceRepository, signal, filter } = run;
  for await (const { name, ...rest } of source.listTags(sourceRepository, signal)) {
    if (!isAccessoryTag(name) && filter.acceptsTag(name)) yield { reference: name, ...rest };
  }
  if (!filter.acceptsTag('')) return;
  for await (const digest of source.listUntagged(sourceRepository, signal)) yield { reference: digest, digest };
}

async function reconcileUnit(run: Reconciliation, copier: ArtifactCopier, unit: Unit): Promise<UnitOutcome> {
  const { source, sourceRepository, signal } = run;
  const { reference } = unit;
  const tag = isContentDigest(reference) ? undefined : reference;
  try {
    if (!run.filter.acceptsTag(tag ?? '')) return { kind: 'filtered' };
    const digest = unit.digest ?? (await source.head(sourceRepository, reference, signal))?.digest;
    if (digest === undefined) return { kind: 'gone' };
    if (!(await passesFilters(run, digest, unit))) return { kind: 'filtered' };
    const reason = await run.holdReason?.(sourceRepository, digest);
    if (reason !== undefined) return { kind: 'held', reason };
    return await bring(run, copier, digest, tag);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'failed', error };
  }
}

async function passesFilters(run: Reconciliation, digest: ContentDigest, unit: Unit): Promise<boolean> {
  const { source, sourceRepository, signal, filter } = run;
  if (filter.needsLabels) {
    const labels = unit.labels ?? (await source.labelsOf(sourceRepository, digest, signal)) ?? [];
    if (!filter.acceptsLabels(labels)) return false;
  }
  if (!filter.needsKind) return true;
  const manifest = await source.manifest(sourceRepository, digest, signal);
  const { mediaType, config } = parseRegistryManifest(manifest.bytes, manifest.mediaType);
  return filter.acceptsKind(mediaType, config?.mediaType ?? '');
}

async function bring(
  run: Reconciliation,
  copier: ArtifactCopier,
  digest: ContentDigest,
  tag: string | undefined,
): Promise<UnitOutcome> {
  const { target, targetRepository, signal } = run;
  const there = await target.head(targetRepository, tag ?? digest, signal);
  if (there !== undefined && there.digest !== digest && tag !== undefined) {
    if (!run.override) return { kind: 'conflict' };
    if (run.laterWins && (await isNewerThere(run, tag, there.digest))) return { kind: 'newer' };
  }
  const before = copier.totals.manifests;
  if (there === undefined) await prepareTarget(run);
  await copier.copy(digest, tag);
  if (tag !== undefined && there?.digest !== digest) await run.sent.record(tag, digest);
  return { kind: copier.totals.manifests > before ? 'copied' : 'present' };
}

async function prepareTarget({
  source,
  sourceRepository,
  target,
  targetRepository,
  signal,
}: Reconciliation): Promise<void> {
  const isPublic = (await source.isPublic(sourceRepository, signal)) ?? false;
  await target.prepare(targetRepository, { isPublic }, signal);
}

/** What is still as it was brought there is not newer, however late it arrived. */
async function isNewerThere(run: Reconciliation, tag: string, digest: ContentDigest): Promise<boolean> {
  if (await run.sent.isLast(tag, digest)) return false;
  const here = await run.source.tagPushedAt(run.sourceRepository, tag, run.signal);
  const there = await run.target.tagPushedAt(run.targetRepository, tag, run.signal);
  return here !== undefined && there !== undefined && there > here;
}

function tell(run: Reconciliation, reference: string, outcome: UnitOutcome): void {
  const name = `${run.targetRepository}${isContentDigest(reference) ? '@' : ':'}${reference}`;
  if (outcome.kind === 'present') run.tell(`${name} is up to date.`);
  if (outcome.kind === 'gone') run.tell(`${name} is gone from the source.`);
  if (outcome.kind === 'newer') run.tell(`${name} was pushed later at the destination and stays.`);
  if (outcome.kind === 'held') run.tell(`${name} is held back: ${outcome.reason}`);
  if (outcome.kind === 'failed') run.tell(`${name} failed: ${describeError(outcome.error)}`);
  if (outcome.kind === 'conflict') {
    run.tell(`${name} exists at the destination with another digest, and the policy does not override.`);
  }
}
