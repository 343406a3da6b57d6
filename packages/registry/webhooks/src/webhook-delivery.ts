import { VicError } from '@vic/errors';
import { HttpClient } from '@vic/http-client';
import type { JobContext, JobKind, JobVendor, JsonObject } from '@vic/jobs';
import type { AddressGuard } from './address-guard.ts';
import type { WebhookPolicies } from './webhook-policies.ts';
import { signatureHeaders } from './webhook-signature.ts';

/** The kind of the jobs that deliver webhooks, and the owner of their executions. */
export const WEBHOOK_JOB = 'WEBHOOK';
/** What `@vic/jobs` is told of the executions of webhooks. */
export const WEBHOOK_VENDOR: JobVendor = { vendorType: WEBHOOK_JOB, keepExecutions: 200 };

/** What {@link WebhookDelivery} is composed of. */
export interface WebhookDeliveryDeps {
  readonly policies: WebhookPolicies;
  readonly guard: AddressGuard;
  /** How often delivery is tried; 10 times when absent. */
  readonly maxAttempts?: number;
  /** The pause after the first failure, doubling with each; 10 s when absent. */
  readonly retryMs?: number;
  /** The present time; the clock's when absent. */
  readonly now?: () => number;
}

const MAX_ATTEMPTS = 10;
const RETRY_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
const RUN_TIMEOUT_MS = 60_000;

interface Delivery {
  readonly id: string;
  readonly policyId: number;
  readonly targetId: string;
  readonly body: string;
  readonly contentType: string;
}

/** Delivers webhooks: signed, tried again with growing pauses, to the target as it is then. */
export class WebhookDelivery implements JobKind, AsyncDisposable {
  readonly kind = WEBHOOK_JOB;
  readonly timeoutMs = RUN_TIMEOUT_MS;
  readonly maxFailures: number;
  readonly retryMs: number;
  readonly #deps: WebhookDeliveryDeps;
  readonly #now: () => number;
  readonly #checked: HttpClient;
  readonly #unchecked: HttpClient;

  constructor(deps: WebhookDeliveryDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    this.maxFailures = deps.maxAttempts ?? MAX_ATTEMPTS;
    this.retryMs = deps.retryMs ?? RETRY_MS;
    const options = { userAgent: 'vic-registry', checkAddress: deps.guard.check, headersTimeoutMs: ANSWER_TIMEOUT_MS };
    this.#checked = new HttpClient(options);
    this.#unchecked = new HttpClient({ ...options, tls: { insecure: true } });
  }

  async run(context: JobContext): Promise<void> {
    const { job, signal, log } = context;
    const delivery = deliveryOf(job.payload);
    const policy = await this.#deps.policies.find(delivery.policyId);
    const target = policy?.targets.find(({ id }) => id === delivery.targetId);
    if (policy === undefined || target === undefined) {
      log.warn('The policy or its target has been removed since; nothing is sent.');
      return;
    }
    const { signingSecret, authHeader } = await this.#deps.policies.secretsOf(policy, target);
    const { id, body, contentType } = delivery;
    const client = target.skipCertificateCheck ? this.#unchecked : this.#checked;
    const startedAtMs = this.#now();
    // The path may be a secret of the receiver's (Slack's is): the log names the server only.
    log.info(`POST ${new URL(target.address).origin}, delivery ${id}, attempt ${job.runCount}`);
    const response = await client.request({
      method: 'POST',
      url: target.address,
      headers: {
        'content-type': contentType,
        ...(authHeader === undefined ? {} : { authorization: authHeader }),
        ...signatureHeaders({ id, timestampS: Math.floor(startedAtMs / 1000), body }, signingSecret),
      },
      body,
      signal,
      maxRedirects: 0,
    });
    response.discard();
    log.info(`Answered ${response.status} after ${this.#now() - startedAtMs} ms`);
    await context.setAttributes({ response_status: response.status });
    if (!response.ok) throw refused(response.status);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#checked[Symbol.asyncDispose](), this.#unchecked[Symbol.asyncDispose]()]);
  }
}

/** What the consumer put into the job. */
function deliveryOf(payload: JsonObject): Delivery {
  return payload as unknown as Delivery;
}

function refused(status: number): VicError {
  return new VicError({
    class: 'Unavailable',
    code: 'WEBHOOK_REFUSED',
    message: `The target answered ${status}.`,
    remedy: 'Check the address and the auth header of the target.',
  });
}
