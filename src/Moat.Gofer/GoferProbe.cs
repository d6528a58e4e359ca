using Moat.Host.Seccomp;
using Moat.Linux;

namespace Moat.Gofer;

/// <summary>Puts the Gofer's filter on this process and tries what it forbids; for tests.</summary>
public static class GoferProbe
{
    private const int NoDescriptor = 1023;

    /// <summary>Installs the filter.</summary>
    public static Errno Confine() => GoferFilter.Create(NoDescriptor).Install();
}
