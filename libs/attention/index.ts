export { ATTENTION_KINDS, SEVERITIES } from './attention-item.ts';
export { AttentionModule } from './attention.module.ts';
export { ListAttentionQuery } from './list-attention.query.ts';
export type { AttentionItem } from './attention-item.ts';
