forward_loop_0:
.LBB_forward_loop_0:
	vfmadd231ps %zmm0, %zmm1, %zmm2
	jne	.LBB_forward_loop_0
.Lfunc_end_forward_loop_0:
