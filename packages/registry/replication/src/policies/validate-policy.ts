import { VicError } from '@vic/errors';
import { compileGlob } from './glob.ts';
import type { PolicySettings } from './replication-policy.ts';

const MAX_NAME_LENGTH = 256;
const NAMESPACE = /^[a-z0-9]+(?:(?:\.|_|__|-+|\/)[a-z0-9]+)*$/;

/** Refuses a policy that cannot work, in Harbor's words. */
export function validatePolicy(policy: PolicySettings): void {
  if (policy.name === '') throw invalid('empty name');
  if (policy.name.length > MAX_NAME_LENGTH) throw invalid(`the max length of name is ${MAX_NAME_LENGTH}`);
  if ((policy.sourceId === undefined) === (policy.destinationId === undefined)) {
    throw invalid("either src_registry or dest_registry should be empty and the other one shouldn't be empty");
  }
  const namespace = policy.destinationNamespace;
  if (namespace !== '' && (namespace.length > 255 || !NAMESPACE.test(namespace))) {
    throw invalid(`invalid destination namespace: ${namespace.slice(0, 255)}`);
  }
  for (const filter of policy.filters) if (filter.type === 'name' || filter.type === 'tag') compileGlob(filter.value);
  validateTrigger(policy);
  const { scanBelow, signed, approved } = policy.promotion;
  const needsLocal = scanBelow !== undefined || signed === true || approved === true;
  if (needsLocal && policy.sourceId !== undefined) {
    throw invalid('promotion by scan, signature or approval is only possible for artifacts of this registry');
  }
}

function validateTrigger({ trigger, singleActive, sourceId }: PolicySettings): void {
  if (trigger.type === 'event_based') {
    if (sourceId !== undefined) throw invalid('event_based trigger is only possible when this registry is the source');
    if (singleActive) throw invalid('single active replication is not allowed for event_based triggers');
  }
  if (trigger.type !== 'scheduled') return;
  const { cron } = trigger;
  if (cron === '') throw invalid('the cron string cannot be empty when the trigger type is scheduled');
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 6) throw invalid(`invalid cron string for scheduled trigger: ${cron.slice(0, 100)}`);
  if (fields[0] !== '0') throw invalid('the 1st field (indicating Seconds of time) of the cron setting must be 0');
  if (fields[1] === '*') {
    throw invalid('* is not allowed for the Minutes field of the cron setting of replication policy');
  }
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'REPLICATION_POLICY_INVALID', message });
}
