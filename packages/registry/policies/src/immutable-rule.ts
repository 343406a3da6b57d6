import { type Static, Type } from '@vic/http';
import type { Schema, Selectable } from '@vic/sql';
import { RuleSelectorsBody, type RuleSelectors } from './policy-selector.ts';

const MAX_PRIORITY = 1_000_000;

/** A rule as clients send it. */
export const ImmutableRuleBody = Type.Object({
  id: Type.Optional(Type.Integer()),
  project_id: Type.Optional(Type.Integer()),
  priority: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_PRIORITY })),
  disabled: Type.Optional(Type.Boolean()),
  action: Type.Optional(Type.Literal('immutable')),
  template: Type.Optional(Type.Literal('immutable_template')),
  params: Type.Optional(Type.Object({})),
  ...RuleSelectorsBody,
});

/** What a rule is made of. */
export type ImmutableRuleInput = Static<typeof ImmutableRuleBody>;

/** A rule that makes tags immutable. */
export interface ImmutableRule extends RuleSelectors {
  readonly id: number;
  readonly priority: number;
  readonly disabled: boolean;
}

/** The rule of a row. */
export function immutableRuleOfRow(row: Selectable<Schema['immutable_rules']>): ImmutableRule {
  return {
    id: row.id,
    priority: row.priority,
    disabled: row.disabled === 1,
    tag_selectors: JSON.parse(row.tag_selectors) as RuleSelectors['tag_selectors'],
    scope_selectors: JSON.parse(row.scope_selectors) as RuleSelectors['scope_selectors'],
  };
}

/** The rule in the API's form. */
export function immutableRuleBody(rule: ImmutableRule): Record<string, unknown> {
  const { id, priority, disabled, tag_selectors, scope_selectors } = rule;
  return {
    id,
    priority,
    disabled,
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors,
    scope_selectors,
  };
}
