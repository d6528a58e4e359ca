using Moat.Host;
using Moat.Kernel;

namespace Moat.Sentry;

/// <summary>Random bytes from the host.</summary>
internal sealed class HostRandom : IRandomSource
{
    /// <inheritdoc/>
    public void Fill(Span<byte> destination) => HostFile.FillRandom(destination);
}
