import { VicError } from '@vic/errors';
import { type Static, Type } from '@vic/http';
import { RuleSelectorsBody, compileSelectors } from './policy-selector.ts';
import { retentionParameter } from './retention-templates.ts';

const MAX_RULES = 15;

/** More rules than are allowed are read, so that they are refused in Harbor's words. */
const MAX_READ_RULES = 100;

const RuleBody = Type.Object({
  id: Type.Optional(Type.Integer()),
  priority: Type.Optional(Type.Integer()),
  disabled: Type.Optional(Type.Boolean()),
  action: Type.Literal('retain'),
  template: Type.String({ maxLength: 64 }),
  params: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  ...RuleSelectorsBody,
});

/** A policy as clients send it. */
export const RetentionPolicyBody = Type.Object({
  id: Type.Optional(Type.Integer()),
  algorithm: Type.Literal('or'),
  rules: Type.Array(RuleBody, { maxItems: MAX_READ_RULES }),
  trigger: Type.Object({
    kind: Type.Literal('Schedule'),
    settings: Type.Object({ cron: Type.String({ maxLength: 128 }) }),
    references: Type.Optional(Type.Unknown()),
  }),
  scope: Type.Object({ level: Type.String({ maxLength: 32 }), ref: Type.Integer() }),
});

/** What a policy is made of. */
export type RetentionPolicyInput = Static<typeof RetentionPolicyBody>;

/** One reason to keep an artifact. */
export type RetentionRule = Static<typeof RuleBody>;

/** What a project keeps: an artifact stays when any rule keeps it. */
export interface RetentionPolicy {
  readonly id: number;
  readonly projectId: number;
  readonly rules: readonly RetentionRule[];
  /** Empty when it only runs by hand. */
  readonly cron: string;
}

/** Refuses a policy that is not one. */
export function checkRetentionPolicy({ rules, scope }: RetentionPolicyInput): void {
  if (rules.length > MAX_RULES) throw invalid(`only ${MAX_RULES} rules are allowed at most`);
  if (scope.level !== 'project') throw invalid(`scope ${scope.level} is not support`);
  if (scope.ref <= 0) throw invalid(`invalid Project id ${scope.ref}`);
  const seen = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    retentionParameter(rule);
    compileSelectors(rule);
    const { id: _id, ...content } = rule;
    const key = JSON.stringify(content);
    const same = seen.get(key);
    if (same !== undefined) {
      throw new VicError({
        class: 'Conflict',
        code: 'RETENTION_RULE_CONFLICT',
        message: `rule ${index} is conflict with rule ${same}`,
      });
    }
    seen.set(key, index);
  }
}

/** The policy in the API's form. */
export function retentionPolicyBody(policy: RetentionPolicy): Record<string, unknown> {
  return {
    id: policy.id,
    algorithm: 'or',
    rules: policy.rules,
    trigger: { kind: 'Schedule', settings: { cron: policy.cron }, references: {} },
    scope: { level: 'project', ref: policy.projectId },
  };
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'RETENTION_POLICY_INVALID', message });
}
