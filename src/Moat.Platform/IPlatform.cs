using Moat.Linux;

namespace Moat.Platform;

/// <summary>A way to run application code under the Sentry's control: ptrace, systrap or kvm.</summary>
/// <remarks>It knows address spaces, contexts and "run until something happens"; no task, no file, no meaning of a signal.</remarks>
public interface IPlatform : IDisposable
{
    /// <summary>The name <c>--platform</c> takes.</summary>
    string Name { get; }

    /// <summary>The lowest address an application may use.</summary>
    GuestAddress MinAddress { get; }

    /// <summary>The first address an application may not use. What the platform needs for itself lies at or above it.</summary>
    GuestAddress MaxAddress { get; }

    /// <summary>How calls are made cheaper; null if the platform can't.</summary>
    ICallSitePatcher? CallSites { get; }

    /// <summary>The vDSO for applications, one page, which works at any address of this platform's stubs; null if it has nothing to offer.</summary>
    byte[]? Vdso { get; }

    /// <summary>An empty address space.</summary>
    /// <returns>ENOMEM or EAGAIN when the host is out of processes or memory.</returns>
    Result<IAddressSpace> NewAddressSpace();

    /// <summary>A context for one task. The thread that first switches to it owns it.</summary>
    IContext NewContext();
}
