import type { Background } from './background.ts';
import type { ContainerRegistry } from './container-registry.ts';
import type { UnitDeps } from './container-unit.ts';
import type { ExecutionDeps } from './dependencies.ts';
import type { Machine } from './machine.ts';
import type { TetherSession } from '../interaction/index.ts';
import type { TemplatePool } from './template-pool.ts';

/** What the steps of the execution share. */
export interface ExecutionContext extends ExecutionDeps {
  readonly registry: ContainerRegistry;
  readonly templates: TemplatePool;
  readonly background: Background;
  readonly unitDeps: UnitDeps;
  /** Containers being made, with their machine and session as soon as they are seen. */
  readonly making: Map<string, { machine?: Machine; session?: TetherSession }>;
  /** Containers whose making was given up while the infrastructure may still be at it. */
  readonly abandoned: Set<string>;
  /** Machines we removed and whose end has not been reported yet; late news of them is old. */
  readonly removed: Set<string>;
}
