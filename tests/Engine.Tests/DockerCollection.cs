[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Moat.Engine.Tests;

/// <summary>Tests that share one daemon.</summary>
[CollectionDefinition(DockerDaemon.Collection)]
public sealed class DockerCollection : ICollectionFixture<DockerDaemon>;
