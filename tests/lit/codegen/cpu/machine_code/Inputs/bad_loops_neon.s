attune_scores_1x1_spills:
.LBB_attune_scores_1x1_spills:
	fmla	v0.4s, v1.4s, v2.s[3]
	str	q1, [sp, #64]                   // 16-byte Folded Spill
	cbnz	x0, .LBB_attune_scores_1x1_spills
.Lfunc_end_attune_scores_1x1_spills:
attune_scores_1x1_calls:
.LBB_attune_scores_1x1_calls:
	fmla	v0.4s, v1.4s, v2.s[3]
	bl	expf
	b.ne	.LBB_attune_scores_1x1_calls
.Lfunc_end_attune_scores_1x1_calls:
attune_scores_2x1_small:
.LBB_attune_scores_2x1_small:
	fmla	v0.4s, v1.4s, v2.s[3]
	tbnz	w0, #0, .LBB_attune_scores_2x1_small
.Lfunc_end_attune_scores_2x1_small:
attune_accumulate_1x1_narrow:
.LBB_attune_accumulate_1x1_narrow:
	fmla	v0.2s, v1.2s, v2.s[3]
	b.ne	.LBB_attune_accumulate_1x1_narrow
.Lfunc_end_attune_accumulate_1x1_narrow:
attune_scores_1x1_good:
.LBB_attune_scores_1x1_good:
	fmla	v0.4s, v1.4s, v2.s[3]
	ldr	x0, [sp, #16]
	b.ne	.LBB_attune_scores_1x1_good
.Lfunc_end_attune_scores_1x1_good:
