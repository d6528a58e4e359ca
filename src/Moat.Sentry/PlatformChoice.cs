using Moat.Control;
using Moat.Platform;
using Moat.Platform.Ptrace;
using Moat.Platform.Systrap;

namespace Moat.Sentry;

/// <summary>Which platform runs the application: the one that was asked for, or else systrap, and ptrace where the host or the processor lacks something for it.</summary>
internal static class PlatformChoice
{
    /// <summary>Starts a platform.</summary>
    /// <param name="flags">What was asked for.</param>
    /// <param name="note">Why it is ptrace although nobody asked for that; else null.</param>
    /// <exception cref="InvalidOperationException">The platform that was asked for, or every one, can't be had here.</exception>
    public static IPlatform Open(SandboxFlags flags, out string? note)
    {
        note = null;
        if (flags.Platform == "ptrace")
        {
            return new PtracePlatform();
        }

        try
        {
            return new SystrapPlatform(!flags.DisableSyscallPatching, !flags.DisableSpinning);
        }
        catch (InvalidOperationException e) when (flags.Platform.Length == 0)
        {
            note = $"platform ptrace instead of systrap: {e.Message}";
            return new PtracePlatform();
        }
    }
}
