attune_scores_1x1_spills:
.LBB_attune_scores_1x1_spills:
	vfmadd231ps %zmm0, %zmm1, %zmm2
	vmovups %zmm1, 64(%rsp)
	jne	.LBB_attune_scores_1x1_spills
.Lfunc_end_attune_scores_1x1_spills:
attune_scores_1x1_calls:
.LBB_attune_scores_1x1_calls:
	vfmadd231ps %zmm0, %zmm1, %zmm2
	callq expf
	jne	.LBB_attune_scores_1x1_calls
.Lfunc_end_attune_scores_1x1_calls:
attune_scores_2x1_small:
.LBB_attune_scores_2x1_small:
	vfmadd231ps %zmm0, %zmm1, %zmm2
	jne	.LBB_attune_scores_2x1_small
.Lfunc_end_attune_scores_2x1_small:
attune_accumulate_1x1_narrow:
.LBB_attune_accumulate_1x1_narrow:
	vfmadd231ps %ymm0, %ymm1, %ymm2
	jne	.LBB_attune_accumulate_1x1_narrow
.Lfunc_end_attune_accumulate_1x1_narrow:
attune_scores_1x1_good:
.LBB_attune_scores_1x1_good:
	vfmadd231ps %zmm0, %zmm1, %zmm2
	movq 16(%rsp), %rax
	jne	.LBB_attune_scores_1x1_good
.Lfunc_end_attune_scores_1x1_good:
