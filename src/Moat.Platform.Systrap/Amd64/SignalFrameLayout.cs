namespace Moat.Platform.Systrap.Amd64;

/// <summary>Offsets in the kernel's <c>struct rt_sigframe</c> of x86-64: the way back, <c>struct ucontext</c>, <c>siginfo_t</c>. The FPU state lies apart.</summary>
internal static class SignalFrameLayout
{
    /// <summary>uc_mcontext, a <c>struct sigcontext</c>.</summary>
    public const int Context = UserContext + 40;

    /// <summary>In it, the address of the FPU state.</summary>
    public const int FpState = Context + 184;

    /// <summary>uc_sigmask.</summary>
    public const int Mask = UserContext + 296;

    /// <summary>The <c>siginfo_t</c>.</summary>
    public const int Info = UserContext + 304;

    /// <summary>Bytes of a frame without the FPU state.</summary>
    public const int Size = Info + InfoSize;

    /// <summary>Bytes of a <c>siginfo_t</c>.</summary>
    public const int InfoSize = 128;

    /// <summary>What the FPU state is aligned to.</summary>
    public const int FpuAlignment = 64;

    /// <summary>From the FPU state on: the components that it has (<c>struct _fpx_sw_bytes</c>, xfeatures).</summary>
    public const int FpuFeatures = 464 + 8;

    /// <summary>Bytes of the mark behind the FPU state (FP_XSTATE_MAGIC2).</summary>
    public const int FpuTrailer = 4;

    private const int UserContext = 8;
}
