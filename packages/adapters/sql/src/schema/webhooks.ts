/** The tables of `webhooks`. */
export interface WebhooksTables {}
