import EngineSimulation
import FoundationEssentials
import StreamCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// Runs schedules of faults against the engine, and judges what was committed. See scripts/simulate.

repeatHashing()
let options: Options
do { options = try Options(CommandLine.arguments.dropFirst()) } catch {
    StandardStream.writeError("millrace-simulate: \(error)\n\n\(Options.usage)\n")
    exit(2)
}
exit(await run(options))

/// The order of a dictionary decides what comes first here and there; a run repeats only where it is the same in every
/// process.
func repeatHashing() {
    guard getenv("SWIFT_DETERMINISTIC_HASHING") == nil else { return }
    setenv("SWIFT_DETERMINISTIC_HASHING", "1", 1)
    var arguments = CommandLine.arguments.map { strdup($0) as UnsafeMutablePointer<CChar>? } + [nil]
    execv("/proc/self/exe", &arguments)
}

/// Tells everything about one seed.
func replay(_ seed: UInt64, _ campaign: Campaign) -> Int32 {
    var code: Int32 = 0
    for var run in campaign.runs(seed) {
        run.keepsLog = true
        let verdict = run()
        print(Report.describe(run.schedule, verdict).joined(separator: "\n"))
        if verdict.violation != nil { code = 1 }
    }
    return code
}

/// Every mutation on every cluster, a line each.
func selfTest(_ options: Options) async -> Int32 {
    let test = SelfTest(clusters: options.clusters, seeds: options.seeds)
    let wrong = await withTaskGroup(of: Int.self) { tasks in
        for worker in 0..<options.workers {
            tasks.addTask {
                var wrong = 0
                for (index, next) in test.cases.enumerated() where index % options.workers == worker {
                    let outcome = test.run(next.mutation, next.cluster)
                    print(Report.describe(outcome))
                    if !outcome.isRight { wrong += 1 }
                }
                return wrong
            }
        }
        return await tasks.reduce(0, +)
    }
    print(wrong == 0 ? "ok: every mutation is found, and every run repeats" : "FAILED: \(wrong)")
    return wrong == 0 ? 0 : 1
}

func run(_ options: Options) async -> Int32 {
    if options.isSelfTest { return await selfTest(options) }
    let folder = "\(options.folder)/millrace-simulate-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var campaign = Campaign(
        from: options.from, seeds: options.seeds, scenarios: options.scenarios, clusters: options.clusters,
        breakages: options.breakages, folder: folder)
    if let seed = options.replay, !options.isJSON {
        return replay(seed, campaign)
    }
    if let seed = options.replay {
        campaign.from = seed
        campaign.seeds = 1
    }
    let workers = min(options.workers, Int(campaign.seeds))
    let progress = Progress(total: campaign.seeds, isShown: !options.isJSON && options.replay == nil)
    let result = await withTaskGroup(of: Campaign.Result.self) { [campaign] tasks in
        for worker in 0..<workers {
            tasks.addTask { campaign.run(worker: worker, of: workers) { progress.note($0) } }
        }
        var all = Campaign.Result()
        for await part in tasks {
            all.statistics += part.statistics
            guard let failure = part.failure else { continue }
            progress.stop()
            if failure.run.schedule.seed < all.failure?.run.schedule.seed ?? .max { all.failure = failure }
        }
        return all
    }
    progress.end()
    let report = Report(options: options, result: result, seconds: progress.seconds)
    print(options.isJSON ? report.json : report.text)
    return result.failure == nil ? 0 : 1
}
