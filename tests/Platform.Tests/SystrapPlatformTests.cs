using Moat.Platform.Systrap;

namespace Moat.Platform.Tests;

public sealed class SystrapPlatformTests() : PlatformTests(new SystrapPlatform())
{
}
